using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Splitting;

/// <summary>One part of a split model.</summary>
/// <param name="Id">The stage's name, such as <c>stage-0</c>.</param>
/// <param name="Model">The part's file, relative to the manifest.</param>
/// <param name="Inputs">The names of the values that the part needs, as in the original model.</param>
/// <param name="Outputs">The names of the values that the part makes, as in the original model.</param>
public sealed record SplitStage(string Id, string Model, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs);

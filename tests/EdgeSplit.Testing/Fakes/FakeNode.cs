using System.Collections.Immutable;

namespace EdgeSplit.Testing.Fakes;

/// <summary>An operator of a <see cref="FakeModel"/>.</summary>
/// <param name="Name">The layer's name.</param>
/// <param name="Operation"><see cref="Mix"/> or <see cref="Copy"/>.</param>
/// <param name="Inputs">The values read.</param>
/// <param name="Outputs">The values made.</param>
/// <param name="Weight">The hash of the weight, or null.</param>
/// <param name="WeightByteCount">The size of the weight.</param>
public sealed record FakeNode(
    string Name, string Operation, ImmutableArray<string> Inputs, ImmutableArray<string> Outputs, string? Weight = null, long WeightByteCount = 0)
{
    /// <summary>Mixes float tensors so that a missing, swapped or wrong input changes every element of the output.</summary>
    public const string Mix = "mix";

    /// <summary>Copies one tensor of any type.</summary>
    public const string Copy = "copy";
}

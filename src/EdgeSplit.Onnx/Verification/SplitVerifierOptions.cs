using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Verification;

/// <summary>How a split is verified.</summary>
public sealed record SplitVerifierOptions
{
    /// <summary>Whether ONNX Runtime applies all its optimisations to the whole model and to the parts, which then may differ a little.</summary>
    /// <value>The default is false: no optimisation, and parts must be bit-exact.</value>
    public bool Optimize { get; init; }

    /// <summary>A folder with <c>input_0.pb</c>, <c>input_1.pb</c>, … in the order of the model's inputs; null for random inputs.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Inputs by name, which stay the caller's; those missing come from <see cref="DataFolder"/> or are random.</summary>
    /// <value>The default is empty.</value>
    public IReadOnlyDictionary<string, Tensor> Inputs { get; init; } = ImmutableDictionary<string, Tensor>.Empty;

    /// <summary>The seed of random inputs.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Sizes of symbolic dimensions of random inputs, by symbol; those without an entry are small.</summary>
    public IReadOnlyDictionary<string, long> FreeDimensions { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Threads within an operator; the same for the whole model and for the parts, since results may depend on it.</summary>
    public int Threads { get; init; } = 1;
}

using System.Collections.Immutable;

namespace EdgeSplit.Partitioning;

/// <summary>A place in a model's order of layers where it can be cut in two.</summary>
/// <param name="AfterLayer">The last layer before the cut.</param>
/// <param name="Activations">Indexes of the activations that cross, ascending.</param>
/// <param name="ByteCount">The bytes of those activations.</param>
/// <param name="FloatOperationsBefore">The share in 0..1 of the model's floating-point operations before the cut.</param>
/// <param name="Penalty">The largest <see cref="Models.Activation.CutPenalty"/> of the activations that cross.</param>
public sealed record CutPoint(int AfterLayer, ImmutableArray<int> Activations, long ByteCount, double FloatOperationsBefore, double Penalty);

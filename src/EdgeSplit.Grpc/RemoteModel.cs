using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Grpc;

/// <summary>A model that a coordinator has deployed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Epoch">The number of the plan in use, from 1.</param>
/// <param name="Inputs">What a request must give.</param>
/// <param name="Outputs">What a request gets.</param>
/// <param name="StageAgents">The agents that run its stages, in the plan's order.</param>
public sealed record RemoteModel(
    string Name, long Epoch, ImmutableArray<TensorInfo> Inputs, ImmutableArray<TensorInfo> Outputs, ImmutableArray<string> StageAgents);

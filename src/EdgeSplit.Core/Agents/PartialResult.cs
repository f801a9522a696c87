using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>What running a partition once gave.</summary>
/// <param name="RequestId">The id of the caller's request.</param>
/// <param name="PartitionId">The partition.</param>
/// <param name="Outputs">The partition's outputs by name; they belong to the receiver.</param>
/// <param name="ComputeTime">The time that the runtime took.</param>
/// <param name="QueueTime">The time that the request waited on the agent for its turn.</param>
public sealed record PartialResult(
    Guid RequestId,
    string PartitionId,
    IReadOnlyDictionary<string, Tensor> Outputs,
    TimeSpan ComputeTime,
    TimeSpan QueueTime) : IDisposable
{
    /// <summary>The time that the run waited for inputs from other agents.</summary>
    public TimeSpan WaitTime { get; init; }

    /// <summary>The time until another agent had what was sent to it, for each of the request's deliveries in their order.</summary>
    public ImmutableArray<TimeSpan> DeliveryTimes { get; init; } = [];

    /// <summary>Disposes of the outputs.</summary>
    public void Dispose()
    {
        Outputs.DisposeTensors();
    }
}

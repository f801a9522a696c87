using EdgeSplit.Agents.Internal;

namespace EdgeSplit.Agents;

/// <summary>A device that runs partitions: in this process, or behind a connection.</summary>
/// <remarks>
/// Implementations are thread-safe. Tensors in a request are borrowed until the call's task completes; tensors in a result
/// belong to the caller. Failures are <see cref="EdgeSplitException"/>; a lost connection is
/// <see cref="EdgeSplitError.AgentUnavailable"/>. Disposal unloads what was loaded through this object.
/// </remarks>
public interface IEdgeAgent : IAsyncDisposable
{
    /// <summary>The agent's id, unique among the agents of a coordinator.</summary>
    string Id { get; }

    /// <summary>What the agent is: its device, its runtime, what it supports.</summary>
    ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>How the agent's resources are used now.</summary>
    ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Makes a partition ready to execute. Takes from <paramref name="blobs"/> only what the agent lacks. Loading a partition
    /// again is counted and cheap: it stays until unloaded as often as loaded. Of one that is <see cref="Models.ModelPartition.IsWeightsOnly"/>
    /// the weights are fetched and kept, as far as the agent's store keeps what is not in use; there is nothing to unload.
    /// </summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>, <see cref="EdgeSplitError.IntegrityFailure"/>
    /// or <see cref="EdgeSplitError.ResourceExhausted"/>.</exception>
    ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, Storage.IBlobSource blobs, CancellationToken cancellationToken);

    /// <summary>Runs a loaded partition once.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: not loaded; <see cref="EdgeSplitError.InvalidInput"/>;
    /// <see cref="EdgeSplitError.ExecutionFailed"/>; <see cref="EdgeSplitError.Overloaded"/>; <see cref="EdgeSplitError.PeerUnavailable"/>:
    /// an output could not be sent to another agent.</exception>
    ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken);

    /// <summary>Takes back one load. Unknown partitions are ignored.</summary>
    ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken);

    /// <summary>Sends <paramref name="payloadByteCount"/> bytes to the agent and waits for its answer.</summary>
    /// <returns>The round trip's time; <see cref="TimeSpan.Zero"/> within one process.</returns>
    ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken);

    /// <summary>Lets the agent probe another one, as <see cref="ProbeAsync"/> does from here.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.PeerUnavailable"/>: it cannot reach that agent, or reaches none at all.</exception>
    ValueTask<TimeSpan> ProbePeerAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken) =>
        ValueTask.FromException<TimeSpan>(PeerForwarder.NoPeers(Id));

    /// <summary>Takes inputs of a run from another agent; the run may be asked for before or after. The tensors are the agent's when the task succeeds.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.PeerUnavailable"/>: it takes none; <see cref="EdgeSplitError.ResourceExhausted"/>:
    /// too many bytes wait for runs that nobody asked for yet.</exception>
    ValueTask DeliverAsync(ActivationDelivery delivery, CancellationToken cancellationToken) =>
        ValueTask.FromException(new EdgeSplitException(EdgeSplitError.PeerUnavailable, $"Agent '{Id}' takes nothing from other agents."));

    /// <summary>
    /// Gives the agent up: calls that wait for it, and later ones, fail with <see cref="EdgeSplitError.AgentUnavailable"/> at once, even
    /// if it never answers. Does not wait. An agent in this process has nothing to give up.
    /// </summary>
    /// <param name="reason">Why, for the failures to say.</param>
    void Abandon(string reason)
    {
    }
}

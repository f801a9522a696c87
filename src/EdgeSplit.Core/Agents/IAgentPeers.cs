namespace EdgeSplit.Agents;

/// <summary>How an agent reaches other agents. Implementations are thread-safe.</summary>
public interface IAgentPeers
{
    /// <summary>Sends tensors to an agent; they are borrowed until the task completes, which it does when the agent has them.</summary>
    /// <exception cref="EdgeSplitException">The agent cannot be reached, or does not take them.</exception>
    ValueTask DeliverAsync(PeerAddress peer, ActivationDelivery delivery, CancellationToken cancellationToken);

    /// <summary>Sends <paramref name="payloadByteCount"/> bytes to an agent, connecting first where needed, and waits for its answer.</summary>
    /// <returns>The round trip's time, connecting not counted.</returns>
    /// <exception cref="EdgeSplitException">The agent cannot be reached, or another one answers at its address.</exception>
    ValueTask<TimeSpan> ProbeAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken);
}

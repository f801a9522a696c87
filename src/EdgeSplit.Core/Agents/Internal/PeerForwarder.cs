using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>Sends a run's outputs to the agents that need them, all at once, and keeps what the agent itself needs later.</summary>
/// <param name="agentId">The agent.</param>
/// <param name="peers">Reaches other agents; null where it connects to none.</param>
/// <param name="mailbox">Keeps what is for the agent itself.</param>
/// <param name="time">The clock.</param>
internal sealed class PeerForwarder(string agentId, IAgentPeers? peers, Mailbox mailbox, TimeProvider time)
{
    /// <summary>Delivers outputs, which stay the caller's.</summary>
    /// <returns>How long each delivery took.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.PeerUnavailable"/>.</exception>
    public async ValueTask<ImmutableArray<TimeSpan>> ForwardAsync(
        Guid requestId, ImmutableArray<PeerDelivery> deliveries, IReadOnlyDictionary<string, Tensor> outputs, CancellationToken cancellationToken)
    {
        return deliveries.IsEmpty ? []
            : deliveries.Length == 1 ? [await SendAsync(deliveries[0]).ConfigureAwait(false)]
            : [.. await Task.WhenAll(deliveries.Select(SendAsync)).ConfigureAwait(false)];

        async Task<TimeSpan> SendAsync(PeerDelivery delivery)
        {
            bool isOwn = delivery.Peer.AgentId == agentId;
            if (peers is null && !isOwn)
                throw NoPeers(agentId);
            var tensors = new Dictionary<string, Tensor>(delivery.Outputs.Length);
            foreach (string name in delivery.Outputs)
            {
                tensors.Add(name, outputs.TryGetValue(name, out Tensor? tensor) ? tensor
                    : throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"The output '{name}' that agent '{delivery.Peer.AgentId}' needs is missing."));
            }
            try
            {
                long started = time.GetTimestamp();
                if (isOwn)
                    Keep(new ActivationDelivery(requestId, delivery.PartitionId, tensors.ToDictionary(static pair => pair.Key, static pair => pair.Value.Clone())));
                else
                    await peers!.DeliverAsync(delivery.Peer, new ActivationDelivery(requestId, delivery.PartitionId, tensors) { Encoding = delivery.Encoding }, cancellationToken).ConfigureAwait(false);
                return time.GetElapsedTime(started);
            }
            catch (EdgeSplitException exception)
            {
                throw Unavailable(agentId, delivery.Peer, exception);
            }
        }
    }

    /// <summary>Says that an agent reaches no other.</summary>
    public static EdgeSplitException NoPeers(string agentId) => new(EdgeSplitError.PeerUnavailable, $"Agent '{agentId}' does not connect to other agents.");

    /// <summary>Says that one agent cannot reach another.</summary>
    public static EdgeSplitException Unavailable(string agentId, PeerAddress peer, EdgeSplitException cause) => new(
        EdgeSplitError.PeerUnavailable,
        peer.AgentId == agentId
            ? $"Agent '{agentId}' cannot keep tensors for a later stage of its own: {cause.Message}"
            : $"Agent '{agentId}' cannot reach agent '{peer.AgentId}' at {peer.Address}: {cause.Message}",
        cause);

    // Copies, as the outputs may be needed elsewhere as well: a copy within the memory costs little against a way over a link and back.
    private void Keep(ActivationDelivery copies)
    {
        try
        {
            mailbox.Add(copies);
        }
        catch
        {
            copies.Tensors.DisposeTensors();
            throw;
        }
    }
}

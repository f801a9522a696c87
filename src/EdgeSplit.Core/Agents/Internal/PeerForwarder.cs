using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>Sends a run's outputs to the agents that need them, all at once.</summary>
internal static class PeerForwarder
{
    /// <returns>How long each delivery took.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.PeerUnavailable"/>.</exception>
    public static async ValueTask<ImmutableArray<TimeSpan>> ForwardAsync(
        string agentId,
        IAgentPeers? peers,
        Guid requestId,
        ImmutableArray<PeerDelivery> deliveries,
        IReadOnlyDictionary<string, Tensor> outputs,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        return deliveries.IsEmpty ? []
            : deliveries.Length == 1 ? [await SendAsync(deliveries[0]).ConfigureAwait(false)]
            : [.. await Task.WhenAll(deliveries.Select(SendAsync)).ConfigureAwait(false)];

        async Task<TimeSpan> SendAsync(PeerDelivery delivery)
        {
            if (peers is null)
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
                await peers.DeliverAsync(delivery.Peer, new ActivationDelivery(requestId, delivery.PartitionId, tensors) { Encoding = delivery.Encoding }, cancellationToken).ConfigureAwait(false);
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
    public static EdgeSplitException Unavailable(string agentId, PeerAddress peer, EdgeSplitException cause) =>
        new(EdgeSplitError.PeerUnavailable, $"Agent '{agentId}' cannot reach agent '{peer.AgentId}' at {peer.Address}: {cause.Message}", cause);
}

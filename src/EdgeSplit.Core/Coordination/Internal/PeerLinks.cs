using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Which agents reach which others, and over what links; measured when it is first of use, and again a while after it failed.</summary>
internal sealed class PeerLinks(TimeProvider time, ILogger logger)
{
    // The pairs of many agents take long to measure one after the other; then only those of a plan are.
    private const int MostAgentsMeasuredAhead = 8;
    private static readonly TimeSpan MeasuringTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(AgentEntry From, AgentEntry To), (Link? Link, long Since)> _links = [];
    private readonly SemaphoreSlim _measuring = new(1);

    /// <summary>The link from one agent to another; null where it is not known that there is one.</summary>
    public Link? Find(AgentEntry from, AgentEntry to) => _links.TryGetValue((from, to), out (Link? Link, long Since) known) ? known.Link : null;

    /// <summary>Measures the links between all of some agents, unless they are too many.</summary>
    public ValueTask MeasureAllAsync(ImmutableArray<AgentEntry> agents, CancellationToken cancellationToken)
    {
        if (!_links.IsEmpty)
        {
            foreach ((AgentEntry From, AgentEntry To) pair in _links.Keys.Where(static pair => IsGone(pair.From) || IsGone(pair.To)))
                _links.TryRemove(pair, out _);
        }
        return agents.Length > MostAgentsMeasuredAhead
            ? ValueTask.CompletedTask
            : MeasureAsync(agents.SelectMany(from => agents.Select(to => (from, to))), cancellationToken);

        static bool IsGone(AgentEntry entry) => entry.State == Membership.AgentState.Lost;
    }

    /// <summary>Measures the links that are not known yet, or were found missing a while ago.</summary>
    public async ValueTask MeasureAsync(IEnumerable<(AgentEntry From, AgentEntry To)> pairs, CancellationToken cancellationToken)
    {
        // Agents in this process, and those that have joined, have no address; nothing can be sent to them directly.
        (AgentEntry From, AgentEntry To)[] unknown = [.. pairs.Where(IsUnknown).Distinct()];
        if (unknown.Length == 0)
            return;
        await _measuring.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // One after the other: side by side they would measure each other.
            foreach ((AgentEntry From, AgentEntry To) pair in unknown.Where(IsUnknown))
                _links[pair] = (await MeasureAsync(pair.From, pair.To, cancellationToken).ConfigureAwait(false), time.GetTimestamp());
        }
        finally
        {
            _measuring.Release();
        }
    }

    /// <summary>Notes that an agent did not reach another; their tensors go through the coordinator from now on.</summary>
    public void Break(AgentEntry from, AgentEntry to) => _links[(from, to)] = (null, time.GetTimestamp());

    private bool IsUnknown((AgentEntry From, AgentEntry To) pair) =>
        pair.From != pair.To && pair.To.Description.Address is not null
        && (!_links.TryGetValue(pair, out (Link? Link, long Since) known) || (known.Link is null && time.GetElapsedTime(known.Since) > RetryAfter));

    private async ValueTask<Link?> MeasureAsync(AgentEntry from, AgentEntry to, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(MeasuringTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var peer = new PeerAddress(to.Id, to.Description.Address!);
        try
        {
            return await LinkMeasurement.MeasureAsync((bytes, token) => from.Agent.ProbePeerAsync(peer, bytes, token), either.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is EdgeSplitException or OperationCanceledException or ObjectDisposedException)
        {
            logger.PeerNotReached(from.Id, to.Id, exception.Message);
            return null;
        }
    }
}

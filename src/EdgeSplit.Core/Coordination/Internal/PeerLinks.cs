using System.Collections.Concurrent;
using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Which agents reach which others, and over what links; measured when it is first of use, and again a while after it failed.</summary>
internal sealed class PeerLinks(CoordinatorOptions options, ILogger logger)
{
    // The pairs of many agents take long to measure one after the other; then only those of a plan are.
    private const int MostAgentsMeasuredAhead = 8;
    private static readonly TimeSpan MeasuringTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time = options.TimeProvider;
    private readonly ConcurrentDictionary<(AgentEntry From, AgentEntry To), (Link? Link, long Since)> _links = [];
    private readonly SemaphoreSlim _measuring = new(1);
    private int _version;

    /// <summary>Counts up with each change of what tensors take which way: a pair that reaches each other or no longer does, another encoding.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>The links that have been looked for; null where one agent does not reach the other.</summary>
    public IEnumerable<KeyValuePair<(AgentEntry From, AgentEntry To), Link?>> Known => _links.Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Link));

    /// <summary>The link from one agent to another; null where it is not known that there is one.</summary>
    public Link? Find(AgentEntry from, AgentEntry to) => _links.TryGetValue((from, to), out (Link? Link, long Since) known) ? known.Link : null;

    /// <summary>
    /// Whether what one agent makes goes to another, or to a later stage of its own, without the coordinator. Agents that others can send to
    /// can also keep what they make; those in this process have it in this process either way.
    /// </summary>
    public bool IsDirect(AgentEntry from, AgentEntry to) => from == to
        ? to.Description.Address is not null && !_links.ContainsKey((from, to))
        : Find(from, to) is not null;

    /// <summary>Measures the links between all of some agents, unless they are too many.</summary>
    public ValueTask MeasureAllAsync(ImmutableArray<AgentEntry> agents, CancellationToken cancellationToken)
    {
        foreach ((AgentEntry From, AgentEntry To) pair in _links.Keys.Where(static pair => IsGone(pair.From) || IsGone(pair.To)))
            _links.TryRemove(pair, out _);
        return agents.Length > MostAgentsMeasuredAhead
            ? ValueTask.CompletedTask
            : MeasureAsync(agents.SelectMany(from => agents.Select(to => (from, to))), cancellationToken);

        static bool IsGone(AgentEntry entry) => entry.State == Membership.AgentState.Lost;
    }

    /// <summary>Measures the links that are not known yet, or were found missing a while ago.</summary>
    public async ValueTask MeasureAsync(IEnumerable<(AgentEntry From, AgentEntry To)> pairs, CancellationToken cancellationToken)
    {
        // Agents in this process, and those that listen for nobody, have no address; nothing can be sent to them directly.
        (AgentEntry From, AgentEntry To)[] unknown = [.. pairs.Where(IsUnknown).Distinct()];
        if (unknown.Length == 0)
            return;
        await _measuring.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // One after the other: side by side they would measure each other.
            foreach ((AgentEntry From, AgentEntry To) pair in unknown.Where(IsUnknown))
                Set(pair, await MeasureAsync(pair.From, pair.To, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _measuring.Release();
        }
    }

    /// <summary>Whether a pair would be measured if it were asked for now.</summary>
    public bool IsUnknown((AgentEntry From, AgentEntry To) pair) =>
        pair.From != pair.To && pair.To.Description.Address is not null
        && (!_links.TryGetValue(pair, out (Link? Link, long Since) known) || (known.Link is null && _time.GetElapsedTime(known.Since) > RetryAfter));

    /// <summary>Notes that an agent did not reach another; their tensors go through the coordinator from now on.</summary>
    public void Break(AgentEntry from, AgentEntry to) => Set((from, to), null);

    /// <summary>Sends bytes from one agent to another that answers.</summary>
    /// <returns>The round trip's time.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.PeerUnavailable"/>.</exception>
    public static ValueTask<TimeSpan> ProbeAsync(AgentEntry from, AgentEntry to, int payloadByteCount, CancellationToken cancellationToken) =>
        from.Agent.ProbePeerAsync(new PeerAddress(to.Id, to.Description.Address!), payloadByteCount, cancellationToken);

    /// <summary>Takes over what a link has become, unless it is stated, or was found broken meanwhile.</summary>
    public void Revise(AgentEntry from, AgentEntry to, Link link)
    {
        if (Find(from, to) is not null && !options.Links.ContainsKey((from.Id, to.Id)))
            Set((from, to), Encoded(link with { Compression = null }));
    }

    private Link Encoded(Link link) => options.Compression?.Choose(link) ?? link;

    private void Set((AgentEntry From, AgentEntry To) pair, Link? link)
    {
        Link? before = Find(pair.From, pair.To);
        _links[pair] = (link, _time.GetTimestamp());
        if (before is null != link is null || before?.Compression != link?.Compression)
            Interlocked.Increment(ref _version);
    }

    private async ValueTask<Link?> MeasureAsync(AgentEntry from, AgentEntry to, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(MeasuringTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (!options.Links.TryGetValue((from.Id, to.Id), out Link? stated))
                return Encoded(await LinkMeasurement.MeasureAsync((bytes, token) => ProbeAsync(from, to, bytes, token), either.Token).ConfigureAwait(false));
            await ProbeAsync(from, to, 0, either.Token).ConfigureAwait(false);
            return Encoded(stated);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && exception is EdgeSplitException or OperationCanceledException or ObjectDisposedException)
        {
            logger.PeerNotReached(from.Id, to.Id, exception.Message);
            return null;
        }
    }
}

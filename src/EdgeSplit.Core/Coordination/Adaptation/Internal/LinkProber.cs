using System.Collections.Concurrent;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Probes links that carry no tensors, one after the other and within a budget, and those whose tensors do not arrive, at once. Corrects those that
/// have changed.
/// </summary>
internal sealed class LinkProber(AdaptationOptions options, TimeSpan interval, TimeProvider time)
{
    private const int ProbeBytes = 64 << 10;

    // What a probe must deviate by before its link counts as changed: fast links differ from probe to probe.
    private const double TellingFactor = 2;

    // The same where tensors share the link with the probe.
    private const double TellingFactorInUse = 4;

    // Many links let so much through at once that a probe says nothing of them but that they are not slower.
    private const int BurstFactor = 4;
    private static readonly TimeSpan TellingTime = TimeSpan.FromMilliseconds(2);

    // The least that a probe of a suspected link is waited for: agents may get no processor for as long.
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(250);

    // A link that was found slow is looked at again for a while: what was still on its way made it look slower than it is, or it was slow for a moment only.
    private const int LooksAfterwards = 10;
    private static readonly TimeSpan FirstLookAfter = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    // The links that are looked at since their tensors do not arrive, and whether they were found slow already.
    private readonly ConcurrentDictionary<WatchedLink, bool> _suspected = [];
    private readonly ConcurrentDictionary<WatchedLink, bool> _followed = [];

    // Followed links are looked at one after the other: side by side they would measure each other.
    private readonly SemaphoreSlim _looking = new(1);
    private double _budgetBytes;
    private long _spentBytes;
    private int _next;

    /// <summary>The links between the coordinator and agents over which none of its tensors go.</summary>
    public static IEnumerable<WatchedLink> Idle(IEnumerable<AgentEntry> agents, Func<AgentEntry, bool> isUsed, Action<AgentEntry, Link> revise) =>
        agents.Where(entry => entry.Link != Link.Local && !isUsed(entry)).Select(entry => new WatchedLink.ToAgent(entry, revise));

    /// <summary>Starts the probes that the budget allows; called once an interval.</summary>
    /// <param name="idle">The links that carry no tensors, in an order that stays.</param>
    /// <param name="cancellationToken">Ends the probes.</param>
    public void Tick(IReadOnlyList<WatchedLink> idle, CancellationToken cancellationToken)
    {
        // What was looked at twice is paid for afterwards, though not for longer than others can wait to be looked at.
        _budgetBytes = Math.Max(_budgetBytes - Interlocked.Exchange(ref _spentBytes, 0), -options.ProbeBytesPerSecond);
        _budgetBytes = Math.Min(_budgetBytes + (options.ProbeBytesPerSecond * interval.TotalSeconds), Math.Max(options.ProbeBytesPerSecond, ProbeBytes));
        for (int seen = 0; seen < idle.Count && _budgetBytes >= ProbeBytes; seen++)
        {
            _budgetBytes -= ProbeBytes;
            _ = ProbeAsync(idle[(int)((uint)_next++ % (uint)idle.Count)], isOnlyForFaster: false, cancellationToken);
        }
    }

    /// <summary>Looks at links whose tensors do not arrive; what that takes of the budget is paid for afterwards.</summary>
    /// <param name="silent">The links.</param>
    /// <param name="slow">Told of one that was found slow, and again while tensors do not arrive.</param>
    /// <param name="cancellationToken">Ends the probes.</param>
    public void Suspect(IEnumerable<WatchedLink> silent, Action<WatchedLink> slow, CancellationToken cancellationToken)
    {
        foreach (WatchedLink link in silent)
        {
            if (_suspected.TryAdd(link, false))
                _ = ProbeSuspectedAsync(link, slow, cancellationToken);
            else if (_suspected.GetValueOrDefault(link))
                slow(link);
        }
    }

    /// <summary>Looks whether a link that was found slow is faster than it seemed, or is so again.</summary>
    private async Task FollowAsync(WatchedLink watched, CancellationToken cancellationToken)
    {
        if (!_followed.TryAdd(watched, true))
            return;
        try
        {
            for (int look = 0; look < LooksAfterwards; look++)
            {
                await Task.Delay(look == 0 ? FirstLookAfter : LookInterval, time, cancellationToken).ConfigureAwait(false);
                await _looking.WaitAsync(cancellationToken).ConfigureAwait(false);
                try
                {
                    Interlocked.Add(ref _spentBytes, ProbeBytes);
                    await ProbeAsync(watched, isOnlyForFaster: true, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    _looking.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The coordinator ends.
        }
        _followed.TryRemove(watched, out _);
    }

    private Task ProbeAsync(WatchedLink watched, bool isOnlyForFaster, CancellationToken cancellationToken) => CatchAsync(watched, async () =>
    {
        TimeSpan taken = await watched.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
        if (watched.Link is not { } link)
            return;
        int change = CompareWithExpected(taken, ProbeBytes, link, TellingFactor);
        if (change == 0 || (isOnlyForFaster && change > 0))
            return;
        // Once is an accident.
        int bytes = change < 0 ? BurstFactor * ProbeBytes : ProbeBytes;
        TimeSpan again = await PaidProbe(watched)(bytes, cancellationToken).ConfigureAwait(false);
        if (CompareWithExpected(again, bytes, link, TellingFactor) == change)
            watched.Revise(await LinkMeasurement.ReviseAsync(PaidProbe(watched), link, bytes, again.TotalSeconds, time, cancellationToken).ConfigureAwait(false));
    });

    /// <summary>
    /// Looks at a link that is suspected to have become slow; a slow probe is the second sign of it. While one does not arrive either, the link is taken
    /// for as slow as that shows: over one that was choked it may take seconds, and what it carried before is lost and sent again.
    /// </summary>
    private async Task ProbeSuspectedAsync(WatchedLink watched, Action<WatchedLink> slow, CancellationToken cancellationToken)
    {
        await CatchAsync(watched, async () =>
        {
            if (watched.Link is not { } link)
                return;
            TimeSpan patience = ExpectedTime(ProbeBytes, link) * TellingFactorInUse;
            patience = patience > LeastPatience ? patience : LeastPatience;
            Task<TimeSpan> probing = PaidProbe(watched)(ProbeBytes, cancellationToken).AsTask();
            if (!await EndsWithinAsync(probing, patience, cancellationToken).ConfigureAwait(false))
                Revise(LinkMeasurement.Limit(link, ProbeBytes, patience)!);
            TimeSpan taken = await probing.ConfigureAwait(false);
            if (CompareWithExpected(taken, ProbeBytes, link, TellingFactorInUse) > 0)
            {
                Revise(LinkMeasurement.Limit(link, ProbeBytes, taken)
                    ?? await LinkMeasurement.ReviseAsync(PaidProbe(watched), link, ProbeBytes, taken.TotalSeconds, time, cancellationToken).ConfigureAwait(false));
            }
        }).ConfigureAwait(false);
        if (_suspected.TryRemove(watched, out bool isSlow) && isSlow)
            _ = FollowAsync(watched, cancellationToken);

        void Revise(Link link)
        {
            watched.Revise(link);
            _suspected[watched] = true;
            slow(watched);
        }
    }

    private async Task<bool> EndsWithinAsync(Task task, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(patience, time, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private Func<int, CancellationToken, ValueTask<TimeSpan>> PaidProbe(WatchedLink watched) => (bytes, cancellationToken) =>
    {
        Interlocked.Add(ref _spentBytes, bytes);
        return watched.ProbeAsync(bytes, cancellationToken);
    };

    private static async Task CatchAsync(WatchedLink watched, Func<Task> look)
    {
        try
        {
            await look().ConfigureAwait(false);
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.PeerUnavailable)
        {
            watched.Break();
        }
        catch (Exception exception) when (exception is EdgeSplitException or ObjectDisposedException or OperationCanceledException)
        {
            // The watch finds agents that do not answer.
        }
    }

    /// <summary>Whether a probe took much longer (1), much less long (-1), or about as long as its link is known for (0).</summary>
    private static int CompareWithExpected(TimeSpan taken, int bytes, Link link, double factor)
    {
        TimeSpan expected = ExpectedTime(bytes, link);
        if ((taken - expected).Duration() < TellingTime)
            return 0;
        return taken > expected * factor ? 1 : taken * factor < expected ? -1 : 0;
    }

    private static TimeSpan ExpectedTime(int bytes, Link link) => (2 * link.Latency) + TimeSpan.FromSeconds(bytes / link.BytesPerSecond);
}

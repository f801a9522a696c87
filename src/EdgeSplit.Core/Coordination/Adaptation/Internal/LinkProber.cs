using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>Probes links that carry no tensors, one after the other and within a budget, and corrects those that have changed.</summary>
internal sealed class LinkProber(AdaptationOptions options, TimeSpan interval)
{
    private const int ProbeBytes = 64 << 10;

    // What a probe must deviate by before its link counts as changed: fast links differ from probe to probe.
    private const double TellingFactor = 2;

    // Many links let so much through at once that a probe says nothing of them but that they are not slower.
    private const int BurstFactor = 4;
    private static readonly TimeSpan TellingTime = TimeSpan.FromMilliseconds(2);
    private double _budgetBytes;
    private long _spentBytes;
    private int _next;

    /// <summary>The links between the coordinator and agents over which none of its tensors go.</summary>
    public static IEnumerable<WatchedLink> Idle(IEnumerable<AgentEntry> agents, Func<AgentEntry, bool> isUsed) =>
        agents.Where(entry => entry.Link != Link.Local && !isUsed(entry)).Select(static entry => new WatchedLink.ToAgent(entry));

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
            _ = ProbeAsync(idle[(int)((uint)_next++ % (uint)idle.Count)], cancellationToken);
        }
    }

    private async Task ProbeAsync(WatchedLink watched, CancellationToken cancellationToken)
    {
        ValueTask<TimeSpan> ProbeAgainAsync(int bytes, CancellationToken token)
        {
            Interlocked.Add(ref _spentBytes, bytes);
            return watched.ProbeAsync(bytes, token);
        }

        try
        {
            TimeSpan taken = await watched.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
            if (watched.Link is not { } link)
                return;
            int change = CompareWithExpected(taken, ProbeBytes, link);
            if (change == 0)
                return;
            // Once is an accident.
            int bytes = change < 0 ? BurstFactor * ProbeBytes : ProbeBytes;
            TimeSpan again = await ProbeAgainAsync(bytes, cancellationToken).ConfigureAwait(false);
            if (CompareWithExpected(again, bytes, link) == change)
                watched.Revise(await LinkMeasurement.ReviseAsync(ProbeAgainAsync, link, bytes, again.TotalSeconds, cancellationToken).ConfigureAwait(false));
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
    private static int CompareWithExpected(TimeSpan taken, int bytes, Link link)
    {
        TimeSpan expected = (2 * link.Latency) + TimeSpan.FromSeconds(bytes / link.BytesPerSecond);
        if ((taken - expected).Duration() < TellingTime)
            return 0;
        return taken > expected * TellingFactor ? 1 : taken * TellingFactor < expected ? -1 : 0;
    }
}

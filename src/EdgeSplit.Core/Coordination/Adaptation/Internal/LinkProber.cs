using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>Probes links that carry no tensors, one after the other and within a budget, and corrects those that have changed.</summary>
internal sealed class LinkProber(AdaptationOptions options, TimeSpan interval)
{
    private const int ProbeBytes = 64 << 10;

    // What a probe must deviate by before its link counts as changed: fast links differ from probe to probe.
    private const double TellingFactor = 2;
    private static readonly TimeSpan TellingTime = TimeSpan.FromMilliseconds(2);
    private double _budgetBytes;
    private int _next;

    /// <summary>The links between the coordinator and agents over which none of its tensors go.</summary>
    public static IEnumerable<WatchedLink> Idle(IEnumerable<AgentEntry> agents, Func<AgentEntry, bool> isUsed) =>
        agents.Where(entry => entry.Link != Link.Local && !isUsed(entry)).Select(static entry => new WatchedLink.ToAgent(entry));

    /// <summary>Starts the probes that the budget allows; called once an interval.</summary>
    /// <param name="idle">The links that carry no tensors, in an order that stays.</param>
    /// <param name="cancellationToken">Ends the probes.</param>
    public void Tick(IReadOnlyList<WatchedLink> idle, CancellationToken cancellationToken)
    {
        _budgetBytes = Math.Min(_budgetBytes + (options.ProbeBytesPerSecond * interval.TotalSeconds), Math.Max(options.ProbeBytesPerSecond, ProbeBytes));
        for (int seen = 0; seen < idle.Count && _budgetBytes >= ProbeBytes; seen++)
        {
            _budgetBytes -= ProbeBytes;
            _ = ProbeAsync(idle[(int)((uint)_next++ % (uint)idle.Count)], cancellationToken);
        }
    }

    private static async Task ProbeAsync(WatchedLink watched, CancellationToken cancellationToken)
    {
        try
        {
            TimeSpan taken = await watched.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
            if (watched.Link is not { } link)
                return;
            TimeSpan expected = (2 * link.Latency) + TimeSpan.FromSeconds(ProbeBytes / link.BytesPerSecond);
            if ((taken - expected).Duration() < TellingTime || (taken < expected * TellingFactor && expected < taken * TellingFactor))
                return;
            // Once is an accident.
            TimeSpan again = await watched.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
            if (again > expected == taken > expected)
                watched.Revise(await LinkMeasurement.ReviseAsync(watched.ProbeAsync, link, ProbeBytes, Math.Min(taken.TotalSeconds, again.TotalSeconds), cancellationToken).ConfigureAwait(false));
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
}

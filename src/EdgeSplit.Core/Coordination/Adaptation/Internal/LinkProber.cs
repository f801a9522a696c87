using System.Collections.Immutable;
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

    /// <summary>Starts the probes that the budget allows; called once an interval.</summary>
    public void Tick(ImmutableArray<AgentEntry> agents, Func<AgentEntry, bool> isUsed, CancellationToken cancellationToken)
    {
        _budgetBytes = Math.Min(_budgetBytes + (options.ProbeBytesPerSecond * interval.TotalSeconds), Math.Max(options.ProbeBytesPerSecond, ProbeBytes));
        for (int seen = 0; seen < agents.Length && _budgetBytes >= ProbeBytes; seen++)
        {
            AgentEntry entry = agents[_next++ % agents.Length];
            if (entry.Link == Link.Local || isUsed(entry))
                continue;
            _budgetBytes -= ProbeBytes;
            _ = ProbeAsync(entry, cancellationToken);
        }
    }

    private static async Task ProbeAsync(AgentEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            TimeSpan taken = await entry.Agent.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
            Link link = entry.Link;
            TimeSpan expected = (2 * link.Latency) + TimeSpan.FromSeconds(ProbeBytes / link.BytesPerSecond);
            if ((taken - expected).Duration() < TellingTime || (taken < expected * TellingFactor && expected < taken * TellingFactor))
                return;
            // Once is an accident.
            TimeSpan again = await entry.Agent.ProbeAsync(ProbeBytes, cancellationToken).ConfigureAwait(false);
            if (again > expected == taken > expected)
                entry.Link = await LinkMeasurement.ReviseAsync(entry.Agent, link, ProbeBytes, Math.Min(taken.TotalSeconds, again.TotalSeconds), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is EdgeSplitException or ObjectDisposedException or OperationCanceledException)
        {
            // The watch finds agents that do not answer.
        }
    }
}

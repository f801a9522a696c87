using System.Collections.Immutable;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Chaos;

/// <summary>What came of a <see cref="ChaosRun"/>.</summary>
/// <param name="Faults">What happened, in order.</param>
/// <param name="Outcomes">Every request that was accepted.</param>
/// <param name="QuietP99">The 99th percentile of the latency before the first fault.</param>
/// <param name="QuietRequestsPerSecond">The throughput before the first fault.</param>
/// <param name="Plans">The number of plans that were in use.</param>
public sealed record ChaosReport(ImmutableArray<Fault> Faults, IReadOnlyList<LoadOutcome> Outcomes, TimeSpan QuietP99, double QuietRequestsPerSecond, long Plans)
{
    /// <summary>The requests that failed.</summary>
    public IEnumerable<LoadOutcome> Lost => Outcomes.Where(static outcome => outcome.Failure is not null);

    /// <summary>The requests that gave something else than the unsplit model.</summary>
    public IEnumerable<LoadOutcome> Wrong => Outcomes.Where(static outcome => outcome.Failure is null && !outcome.IsRight);

    /// <summary>The number of results whose request had one already.</summary>
    public int Duplicates => Outcomes.Where(static outcome => outcome.Failure is null).GroupBy(static outcome => outcome.Id).Sum(static group => group.Count() - 1);
}

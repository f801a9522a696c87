using System.Globalization;
using EdgeSplit.Testbed;
using EdgeSplit.Testbed.Chaos;

namespace EdgeSplit.Benchmarks.Adaptation;

/// <summary>How long it takes to notice faults of real agents and to serve again, and what requests feel of it.</summary>
internal static class ChaosFigures
{
    /// <param name="seconds">For how long faults strike, and the time between two of them.</param>
    public static async Task<int> RunAsync(string[] seconds)
    {
        if (TestbedSupport.NoProcessesReason is { } reason)
        {
            Console.Error.WriteLine(reason);
            return 1;
        }
        var options = new ChaosOptions
        {
            Duration = TimeSpan.FromSeconds(seconds.Length > 0 ? double.Parse(seconds[0], CultureInfo.InvariantCulture) : 180),
            Progress = static fault => Console.Error.WriteLine(Describe(fault)),
        };
        if (seconds.Length > 1)
            options = options with { Pause = TimeSpan.FromSeconds(double.Parse(seconds[1], CultureInfo.InvariantCulture)) };
        ChaosReport report = await ChaosRun.RunAsync(options);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{options.Model} on {options.Agents} agents, {options.InFlight} in flight: {report.Outcomes.Count} requests, {report.Faults.Length} faults, {report.Plans} plans. Lost: {report.Lost.Count()}; answered twice: {report.Duplicates}; other than the unsplit model: {report.Wrong.Count()}. Before the first fault: {report.QuietRequestsPerSecond:0.0} requests/s, p99 {report.QuietP99.TotalMilliseconds:0} ms."));
        Console.WriteLine();
        Console.WriteLine("| fault | times | noticed after ms, median | most | served again after being noticed ms, median | most | p99 latency during it ms, median | most |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (IGrouping<FaultKind, Fault> kind in report.Faults.GroupBy(static fault => fault.Kind).OrderBy(static group => group.Key))
        {
            double[] noticed = Sorted(kind.Select(static fault => fault.Detection));
            double[] served = Sorted(kind.Select(static fault => fault.Recovery is { } recovery && fault.Detection is { } detection ? recovery - detection : (TimeSpan?)null));
            double[] p99 = Sorted(kind.Where(static fault => fault.Requests > 0).Select(static fault => (TimeSpan?)fault.P99Latency));
            Console.WriteLine($"| {kind.Key} | {kind.Count()} | {Figures(noticed)} | {Figures(served)} | {Figures(p99)} |");
        }
        foreach (IGrouping<bool, Fault> losses in report.Faults.Where(static fault => fault.Kind != FaultKind.Choke).GroupBy(static fault => fault.StoodBy).OrderByDescending(static group => group.Key))
        {
            double[] served = Sorted(losses.Select(static fault => fault.Recovery is { } recovery && fault.Detection is { } detection ? recovery - detection : (TimeSpan?)null));
            Console.WriteLine();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Losses for which {(losses.Key ? "an agent stood by" : "nothing stood by yet")}: {losses.Count()}, served again after being noticed: median {served[served.Length / 2]:0} ms, most {served[^1]:0} ms."));
        }
        return report.Lost.Any() || report.Wrong.Any() || report.Duplicates > 0 ? 1 : 0;
    }

    private static string Describe(Fault fault) => string.Create(
        CultureInfo.InvariantCulture,
        $"{fault.Kind} of {fault.AgentId}{(fault.StoodBy ? ", stood by for" : "")}: noticed after {fault.Detection?.TotalMilliseconds:0} ms, served again {(fault.Recovery - fault.Detection)?.TotalMilliseconds:0} ms later, p99 {fault.P99Latency.TotalMilliseconds:0} ms. {fault.Course}");

    private static double[] Sorted(IEnumerable<TimeSpan?> times) => [.. times.Where(static time => time is not null).Select(static time => time!.Value.TotalMilliseconds).Order()];

    private static string Figures(double[] sorted) =>
        sorted.Length == 0 ? "- | -" : string.Create(CultureInfo.InvariantCulture, $"{sorted[sorted.Length / 2]:0} | {sorted[^1]:0}");
}

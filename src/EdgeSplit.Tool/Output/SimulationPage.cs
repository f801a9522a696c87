using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeSplit.Partitioning;
using EdgeSplit.Simulation;

namespace EdgeSplit.Tool.Output;

/// <summary>Writes a simulation as one HTML page that needs no network: latency and throughput over time, plans, and what happened.</summary>
internal static class SimulationPage
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static void Write(string path, SimulationReport report) => HtmlPage.Write(path, "SimulationPage.html", Describe(report), Options);

    /// <summary>The report for programs and for the page.</summary>
    public static object Describe(SimulationReport report) => new
    {
        name = report.Scenario.Name,
        model = report.Model,
        seed = report.Scenario.Seed,
        durationSeconds = report.Scenario.Duration.TotalSeconds,
        devices = report.Scenario.Devices.Select(static device => device.Device.Id),
        requests = report.Requests,
        completed = report.Completed,
        failures = report.Failures,
        layers = report.Plans[0].Plan.Graph.Layers.Length,
        windows = report.Windows.Select(static window => new
        {
            startSeconds = window.Start.TotalSeconds,
            lengthSeconds = window.Length.TotalSeconds,
            requests = window.Requests,
            completed = window.Completed,
            failed = window.Failed,
            medianSeconds = Known(window.MedianSeconds),
            p99Seconds = Known(window.P99Seconds),
        }),
        plans = report.Plans.Select(static plan => new
        {
            atSeconds = plan.At.TotalSeconds,
            epoch = plan.Epoch,
            partitioner = plan.Plan.Partitioner,
            latencySeconds = plan.Plan.Cost.LatencySeconds,
            bottleneckSeconds = plan.Plan.Cost.BottleneckSeconds,
            stages = plan.Plan.Stages.Select(stage => new { device = plan.Plan.Fleet.Devices[stage.Device].Id, layers = stage.Layers.Length, seconds = stage.PredictedSeconds, share = stage.Share }),
        }),
        notes = report.Notes.Select(static note => new { atSeconds = note.At.TotalSeconds, text = note.Text }),
        decisions = report.Decisions.Select(decision => new
        {
            atSeconds = (decision.Time - report.StartTime).TotalSeconds,
            trigger = decision.Trigger.ToString(),
            cause = decision.Cause,
            switched = decision.Switched,
            reason = decision.Reason,
            epoch = decision.Epoch,
            relativeGain = decision.RelativeGain,
            bytesToMove = decision.BytesToMove,
            switchSeconds = decision.SwitchTime.TotalSeconds,
            elapsedSeconds = decision.Elapsed.TotalSeconds,
            repetitions = decision.Repetitions,
        }),
    };

    /// <summary>Notes and changes of plan in the order in which they happened.</summary>
    public static IEnumerable<(TimeSpan At, string Text)> Happenings(SimulationReport report) => report.Notes
        .Select(static note => (note.At, note.Text))
        .Concat(report.Decisions.Select(decision => (decision.Time - report.StartTime, $"{(decision.Switched ? "switched" : "stayed")}: {decision.Cause} {decision.Reason}")))
        .Concat(report.Plans.Select(static plan => (plan.At, DescribePlan(plan))))
        .OrderBy(static happening => happening.Item1);

    /// <summary>Joins neighbouring windows until there are at most so many; percentiles become the highest of those joined.</summary>
    public static IEnumerable<SimulationWindow> Merge(IReadOnlyList<SimulationWindow> windows, int most) =>
        windows.Chunk(Math.Max((windows.Count + most - 1) / most, 1)).Select(static chunk => chunk.Length == 1 ? chunk[0] : new SimulationWindow(
            chunk[0].Start,
            chunk.Length * chunk[0].Length,
            chunk.Sum(static window => window.Requests),
            chunk.Sum(static window => window.Completed),
            chunk.Sum(static window => window.Failed),
            chunk.Where(static window => window.Completed > 0).Select(static window => window.MedianSeconds).DefaultIfEmpty(double.NaN).Max(),
            chunk.Where(static window => window.Completed > 0).Select(static window => window.P99Seconds).DefaultIfEmpty(double.NaN).Max()));

    private static string DescribePlan(SimulatedPlan plan)
    {
        PartitionPlan partition = plan.Plan;
        string stages = string.Join(" | ", partition.Routes.Take(8).Select(route => Share(route) + Join(route))) + (partition.Routes.Length > 8 ? " …" : "");
        return string.Create(CultureInfo.InvariantCulture,
            $"plan {plan.Epoch}: {stages}; predicted {Units.Milliseconds(partition.Cost.LatencySeconds)}, at most {1 / partition.Cost.BottleneckSeconds:0.0}/s");

        string Join(PlanRoute route) => string.Join(" → ", route.Stages.Take(8).Select(stage => partition.Stages[stage])
            .Select(stage => $"{partition.Fleet.Devices[stage.Device].Id} ({stage.Layers.Length})")) + (route.Stages.Length > 8 ? " …" : "");
    }

    private static string Share(PlanRoute route) => route.Share < 1 ? string.Create(CultureInfo.InvariantCulture, $"{route.Share:0.#%} ") : "";

    private static double? Known(double value) => double.IsNaN(value) ? null : value;
}

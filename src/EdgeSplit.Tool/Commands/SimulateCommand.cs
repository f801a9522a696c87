using System.CommandLine;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Simulation;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit simulate</c>: plays a scenario with the real coordinator and simulated agents, in virtual time.</summary>
internal static class SimulateCommand
{
    private const string Example = """
        {
          "format": "edgesplit.scenario/1",
          "name": "a slow camera and a choked gateway",
          "seed": 1,
          "durationSeconds": 600,
          "model": { "chain": { "layers": 24, "floatOperationsPerLayer": 4e8, "weightBytesPerLayer": 4000000, "activationBytes": 200000 } },
          "objective": "throughput",
          "requestsPerSecond": 4,
          "noise": 0.05,
          "devices": [
            { "id": "camera", "flopsPerSecond": 10e9 },
            { "id": "gateway", "flopsPerSecond": 20e9 },
            { "id": "server", "flopsPerSecond": 40e9, "isPresent": false }
          ],
          "changes": [
            { "atSeconds": 120, "device": "camera", "speedFactor": 0.25 },
            { "atSeconds": 240, "device": "gateway", "bandwidthFactor": 0.1 },
            { "atSeconds": 360, "device": "server", "event": "join" },
            { "atSeconds": 480, "device": "gateway", "event": "crash" }
          ]
        }
        """;

    public static Command Create()
    {
        Argument<string?> scenario = new("scenario") { Description = "The scenario (docs/schemas/scenario.schema.json); --example prints one.", HelpName = "SCENARIO.json", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> example = new("--example") { Description = "Print a scenario to start from." };
        Option<string> page = new("--html") { Description = "Write the course as a page to look at; needs no network.", HelpName = "FILE.html" };
        Option<int?> seed = new("--seed") { Description = "Play it with another seed than the scenario's.", HelpName = "N" };
        Option<bool> json = SharedArguments.Json();
        var command = new Command("simulate", "Plays a scenario of devices, links, requests and changes with the real coordinator in virtual time: an hour takes seconds.")
        {
            scenario, example, page, seed, json,
        };
        command.SetAction(async (result, cancellationToken) =>
        {
            if (result.GetValue(example))
            {
                Console.Out.WriteLine(Example);
                return CommandLine.Fine;
            }
            ScenarioFile file = ScenarioFile.Read(result.GetValue(scenario) ?? throw new BadUsageException("Name a scenario file, or print one with 'edgesplit simulate --example'."));
            Scenario played = result.GetValue(seed) is int other ? file.Scenario with { Seed = other } : file.Scenario;
            ModelGraph graph = file.Graph ?? await Task.Run(() => OpenModel(file, cancellationToken), cancellationToken);
            SimulationReport report = await RunAsync(new Simulator(played, graph, new CoordinatorOptions { CostModel = WeightedCostModel.ForObjective(file.Objective), Constraints = file.Constraints }), played, cancellationToken);
            if (result.GetValue(page) is string path)
                SimulationPage.Write(path, report);
            if (result.GetValue(json))
                Json.Print(SimulationPage.Describe(report));
            else
                Print(report);
            return CommandLine.Fine;
        });
        return command;
    }

    private static ModelGraph OpenModel(ScenarioFile file, CancellationToken cancellationToken)
    {
        var options = new OnnxModelOptions { FreeDimensions = file.Dimensions };
        if (file.ModelPath is { } path)
        {
            using OnnxModel model = OnnxModel.Open(path, options, cancellationToken);
            return model.Graph;
        }
        ZooEntry entry = Zoo.Get(file.ZooModel ?? throw new EdgeSplitException(EdgeSplitError.InvalidArgument, "The scenario names no model: give 'model' one of file, zoo and chain."));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-simulate-");
        try
        {
            string built = Path.Combine(folder.FullName, $"{entry.Name}.onnx");
            entry.Write(built, cancellationToken: cancellationToken);
            using OnnxModel model = OnnxModel.Open(built, options, cancellationToken);
            return model.Graph;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<SimulationReport> RunAsync(Simulator simulator, Scenario scenario, CancellationToken cancellationToken)
    {
        return await Tables.Status.Progress().AutoClear(true).StartAsync(async context =>
        {
            ProgressTask task = context.AddTask($"simulating {scenario.Duration:g}", maxValue: scenario.Duration.TotalSeconds);
            return await simulator.RunAsync(new Told(elapsed => task.Value = elapsed.TotalSeconds), cancellationToken);
        });
    }

    private static void Print(SimulationReport report)
    {
        Table course = Tables.Create($"{report.Scenario.Name}: {report.Model} on {report.Scenario.Devices.Length} devices", ">from", ">requests", ">answered/s", ">failed", ">latency p50", ">p99");
        foreach (SimulationWindow window in SimulationPage.Merge(report.Windows, 24))
        {
            course.Add(
                Clock(window.Start),
                window.Requests.ToString(CultureInfo.InvariantCulture),
                window.CompletedPerSecond.ToString("0.0", CultureInfo.InvariantCulture),
                window.Failed.ToString(CultureInfo.InvariantCulture),
                double.IsNaN(window.MedianSeconds) ? "" : Units.Milliseconds(window.MedianSeconds),
                double.IsNaN(window.P99Seconds) ? "" : Units.Milliseconds(window.P99Seconds));
        }
        Tables.Console.Write(course);

        Table events = Tables.Create("What happened", ">at", "what");
        foreach ((TimeSpan at, string text) in SimulationPage.Happenings(report))
            events.Add(Clock(at), text);
        Tables.Console.Write(events);
        string failures = report.Failures.IsEmpty ? "none failed" : string.Join(", ", report.Failures.Select(static failure => $"{failure.Value} {failure.Key}"));
        Console.Out.WriteLine($"{report.Requests} requests, {report.Completed} answered, {failures}; {report.Plans.Length} plans");
    }

    private static string Clock(TimeSpan at) => at.ToString(@"h\:mm\:ss\.f", CultureInfo.InvariantCulture);

    // Progress<T> would post to the thread pool, which the simulation waits for.
    private sealed class Told(Action<TimeSpan> report) : IProgress<TimeSpan>
    {
        public void Report(TimeSpan value) => report(value);
    }
}

using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Tests;

namespace EdgeSplit.Simulation.Tests;

/// <summary>A model and fleets that scenarios are made of.</summary>
internal static class Scenarios
{
    public const double LayerFloatOperations = 1e8;

    /// <summary>A chain of 16 layers of 1 MB of weights each.</summary>
    public static ModelGraph Model { get; } = CreateModel();

    public static CoordinatorOptions Throughput { get; } = new() { CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput) };

    public static ScenarioDevice Device(string id, double gigaflops = 20, double megabytesPerSecond = 100) => new()
    {
        Device = new Device { Id = id, FlopsPerSecond = gigaflops * 1e9, MemoryBytesPerSecond = 1e12, LayerOverheadSeconds = 0, MemoryBytes = 1L << 30 },
        BytesPerSecond = megabytesPerSecond * 1e6,
    };

    public static async Task<SimulationReport> PlayAsync(Scenario scenario, CoordinatorOptions? options = null)
    {
        SimulationReport report = await new Simulator(scenario, Model, options ?? Throughput).RunAsync();
        // Each request is answered exactly once, or has failed.
        Assert.That(report.Completed + report.Failures.Values.Sum(), Is.EqualTo(report.Requests));
        return report;
    }

    private static ModelGraph CreateModel()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "chain.json");
        File.WriteAllText(path, $$"""
            {
              "format": "edgesplit.scenario/1",
              "model": { "chain": { "layers": 16, "floatOperationsPerLayer": {{LayerFloatOperations}}, "weightBytesPerLayer": 1000000, "activationBytes": 100000 } },
              "devices": [ { "id": "a" } ]
            }
            """);
        return ScenarioFile.Read(path).Graph!;
    }
}

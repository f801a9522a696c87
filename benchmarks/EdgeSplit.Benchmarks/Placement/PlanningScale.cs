using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>How long it takes to plan large models and large fleets, and how good the plans are.</summary>
internal static class PlanningScale
{
    private static readonly Problem[] Problems =
    [
        new("10,000 layers, 8 devices", 10_000, 8, 8),
        new("300 layers, 1,000 devices of 4 kinds", 300, 1000, 4),
        new("300 layers, 1,000 devices of 1,000 kinds", 300, 1000, 1000),
    ];

    /// <summary>Runs <c>planning-scale [OBJECTIVE...]</c>.</summary>
    public static int Run(string[] objectives)
    {
        var chosen = new List<PlanObjective>();
        foreach (string text in objectives)
        {
            if (!Enum.TryParse(text, ignoreCase: true, out PlanObjective objective))
            {
                Console.Error.WriteLine($"Usage: planning-scale [OBJECTIVE...]; '{text}' is none of {string.Join(", ", Enum.GetNames<PlanObjective>())}.");
                return 2;
            }
            chosen.Add(objective);
        }
        // The first plans in a process pay for compiling the code.
        foreach (PlanObjective objective in Enum.GetValues<PlanObjective>())
            Plan(Create(new Problem("warm-up", 100, 8, 8), objective));
        Console.WriteLine("| problem | objective | layer-wise | plan | lower bound | gap | devices used | CPU s | again from the plan, CPU s |");
        Console.WriteLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (Problem problem in Problems)
        {
            foreach (PlanObjective objective in chosen.Count > 0 ? [.. chosen] : Enum.GetValues<PlanObjective>())
                PrintRow(problem, objective);
        }
        return 0;
    }

    private static void PrintRow(Problem about, PlanObjective objective)
    {
        PartitionProblem problem = Create(about, objective);
        (PartitionPlan plan, double seconds) = Plan(problem);
        // The fastest device of the plan has become half as fast.
        int slower = plan.Assignment.GroupBy(static device => device).MaxBy(static group => group.Count())!.Key;
        PartitionProblem changed = problem with
        {
            Fleet = new Fleet(
                problem.Fleet.Devices.SetItem(slower, problem.Fleet.Devices[slower] with { FlopsPerSecond = problem.Fleet.Devices[slower].FlopsPerSecond / 2 }),
                Links(problem.Fleet.Devices, about.Kinds)),
            CurrentAssignment = plan.Assignment,
        };
        double again = Plan(changed).Seconds;
        double layerwise = new LayerwisePartitioner().Partition(problem, default).Objective;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {about.Name} | {objective.ToString().ToLowerInvariant()} | {layerwise:F4} | {plan.Objective:F4} | {plan.LowerBound:F4} | {(plan.Objective / plan.LowerBound) - 1:P1} | {plan.Assignment.Distinct().Count()} | {seconds:F2} | {again:F2} |"));
    }

    /// <summary>Planning has one thread, so processor seconds are what it takes on a machine that does nothing else.</summary>
    private static (PartitionPlan Plan, double Seconds) Plan(PartitionProblem problem)
    {
        using var process = Process.GetCurrentProcess();
        TimeSpan start = process.TotalProcessorTime;
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        process.Refresh();
        return (plan, (process.TotalProcessorTime - start).TotalSeconds);
    }

    private static PartitionProblem Create(Problem about, PlanObjective objective)
    {
        var random = new Random(about.Layers);
        ModelGraph graph = Graph(random, about.Layers);
        Device[] kinds = [.. Enumerable.Range(0, about.Kinds).Select(_ => new Device
        {
            Id = "kind",
            FlopsPerSecond = random.Next(5, 50) * 1e9,
            MemoryBytesPerSecond = 20e9,
            ActiveWatts = random.Next(3, 30),
            IdleWatts = random.Next(3),
            // No device holds the model alone.
            MemoryBytes = (long)(graph.WeightBytes * (0.2 + (0.2 * random.NextDouble()))),
        })];
        ImmutableArray<Device> devices = [.. Enumerable.Range(0, about.Devices).Select(index => kinds[index % about.Kinds] with { Id = $"device{index}" })];
        return new PartitionProblem
        {
            Graph = graph,
            Fleet = new Fleet(devices, Links(devices, about.Kinds)),
            CostModel = WeightedCostModel.ForObjective(objective),
            SourceDevice = 0,
        };
    }

    /// <summary>Devices of a kind have a bandwidth of their own; a pair has that of its slower end.</summary>
    private static IEnumerable<KeyValuePair<(string From, string To), Link>> Links(ImmutableArray<Device> devices, int kinds)
    {
        var random = new Random(kinds);
        double[] rates = [.. Enumerable.Range(0, kinds).Select(_ => 1e7 * (1 + (10 * random.NextDouble())))];
        Link[] links = [.. rates.Select(static rate => new Link { BytesPerSecond = rate, Latency = TimeSpan.FromMilliseconds(1), JoulesPerByte = 1e-8 })];
        for (int from = 0; from < devices.Length; from++)
        {
            for (int to = 0; to < devices.Length; to++)
            {
                if (from != to)
                    yield return KeyValuePair.Create((devices[from].Id, devices[to].Id), links[rates[from % kinds] < rates[to % kinds] ? from % kinds : to % kinds]);
            }
        }
    }

    /// <summary>A network of blocks with a skip connection over each, as most are.</summary>
    private static ModelGraph Graph(Random random, int count)
    {
        const int BlockLayers = 6;
        var inputs = new List<int>[count];
        for (int layer = 0; layer < count; layer++)
            inputs[layer] = layer % BlockLayers == BlockLayers - 1 && layer >= BlockLayers ? [layer, layer - BlockLayers + 1] : [layer];
        ILookup<int, int> consumers = inputs.SelectMany(static (values, layer) => values.Select(value => (value, layer))).ToLookup(static pair => pair.value, static pair => pair.layer);
        return new ModelGraph(
            "scale",
            [.. Enumerable.Range(0, count).Select(layer => new Layer
            {
                Index = layer,
                Name = $"layer{layer}",
                Kind = "Test",
                FloatOperations = random.Next(1, 100) * 1e7,
                Weights = [layer],
                Inputs = [.. inputs[layer].Order()],
                Outputs = [layer + 1],
            })],
            // Value 0 is the input of the model, value N + 1 what layer N makes.
            [.. Enumerable.Range(0, count + 1).Select(value => new Activation
            {
                Index = value,
                Info = new TensorInfo($"value{value}", TensorElementType.Undefined, default),
                Producer = value - 1,
                Consumers = [.. consumers[value]],
                IsModelOutput = value == count,
                ByteCount = random.Next(1, 100) * 2000,
            })],
            [.. Enumerable.Range(0, count).Select(layer => new Weight(layer, $"weight{layer}", random.Next(1, 100) * 10_000))]);
    }

    /// <param name="Name">What to call it.</param>
    /// <param name="Layers">The number of layers.</param>
    /// <param name="Devices">The number of devices.</param>
    /// <param name="Kinds">The number of kinds of devices, each with a speed, power and bandwidth of its own.</param>
    private sealed record Problem(string Name, int Layers, int Devices, int Kinds);
}

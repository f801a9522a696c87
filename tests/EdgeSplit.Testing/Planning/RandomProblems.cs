using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Testing.Planning;

/// <summary>Small problems of every kind, each given by its seed.</summary>
public static class RandomProblems
{
    /// <summary>The problem of a seed: 1 to <paramref name="mostLayers"/> layers on 1 to <paramref name="mostDevices"/> devices.</summary>
    public static PartitionProblem Create(int seed, int mostLayers = 6, int mostDevices = 3, bool withConstraints = true, PlanObjective? objective = null)
    {
        var random = new Random(seed);
        int layers = random.Next(1, mostLayers + 1);
        int devices = random.Next(1, mostDevices + 1);
        bool areEqual = random.Next(3) == 0;
        bool withConcurrency = random.Next(4) == 0;
        Device[] fleet = [.. Enumerable.Range(0, devices).Select(index => new Device
        {
            Id = $"device{index}",
            FlopsPerSecond = areEqual ? 20 : random.Next(5, 60),
            MemoryBytesPerSecond = 1e9,
            LayerOverheadSeconds = 0.01,
            ConcurrentStages = withConcurrency ? random.Next(1, 3) : 1,
            ActiveWatts = random.Next(1, 10),
            IdleWatts = random.Next(2),
            CurrentLoad = random.Next(4) == 0 ? 0.3 : 0,
        })];
        double bytesPerSecond = random.Next(3) switch { 0 => 2, 1 => 10, _ => 100 };
        var links = new Dictionary<(string, string), Link>();
        if (random.Next(2) == 0)
        {
            foreach (Device from in fleet)
            {
                foreach (Device to in fleet.Where(to => to != from))
                    links[(from.Id, to.Id)] = new Link { BytesPerSecond = bytesPerSecond * random.Next(1, 4), Latency = TimeSpan.FromSeconds(random.Next(3) * 0.1), JoulesPerByte = 0.1 };
            }
        }
        PlanObjective chosen = objective ?? (PlanObjective)random.Next(4);
        var problem = new PartitionProblem
        {
            Graph = PlanningGraph.Random(random, layers, random.Next(1, 3), withPenalties: random.Next(4) == 0),
            Fleet = new Fleet(fleet, links, new Link { BytesPerSecond = bytesPerSecond, Latency = TimeSpan.FromSeconds(0.1), JoulesPerByte = 0.1 }),
            CostModel = chosen == PlanObjective.Weighted
                ? new WeightedCostModel(new WeightedCostOptions { ReferenceBytesPerSecond = 10, Energy = 0.1 })
                : WeightedCostModel.ForObjective(chosen),
            SourceDevice = random.Next(2) == 0 ? -1 : random.Next(devices),
            OverlapTransfers = random.Next(4) != 0,
            RelayDevice = random.Next(5) == 0 ? random.Next(devices) : -1,
            Seed = seed,
        };
        if (problem.RelayDevice >= 0 && random.Next(2) == 0)
            problem = problem with { DirectPairs = [.. fleet.SelectMany((_, from) => fleet.Select((_, to) => (from, to))).Where(pair => pair.from != pair.to && random.Next(2) == 0)] };
        return withConstraints ? Constrain(problem, random) : problem;
    }

    private static PartitionProblem Constrain(PartitionProblem problem, Random random)
    {
        int layers = problem.Graph.Layers.Length;
        ImmutableArray<Device> devices = problem.Fleet.Devices;
        var constraints = new PlanConstraints();
        if (random.Next(4) == 0)
            constraints = constraints with { Pinned = constraints.Pinned.Add(random.Next(layers), devices[random.Next(devices.Length)].Id) };
        if (random.Next(4) == 0)
            constraints = constraints with { Forbidden = [(random.Next(layers), devices[random.Next(devices.Length)].Id)] };
        if (random.Next(4) == 0)
            constraints = constraints with { Colocated = [[random.Next(layers), random.Next(layers)]] };
        if (random.Next(4) == 0)
            constraints = constraints with { MaximumDevices = random.Next(1, 3) };
        if (random.Next(6) == 0 && problem.SourceDevice >= 0)
            constraints = constraints with { PrivateLeadingLayers = random.Next(1, 3) };
        problem = problem with { Constraints = constraints };
        if (random.Next(2) == 0)
            return problem;
        long memory = (long)(problem.Graph.WeightBytes * (0.4 + random.NextDouble())) + 40;
        return problem with
        {
            Fleet = new Fleet(
                devices.Select(device => device with { MemoryBytes = memory }),
                devices.SelectMany((_, from) => devices.Select((_, to) => (from, to))).Where(static pair => pair.from != pair.to)
                    .Select(pair => KeyValuePair.Create((devices[pair.from].Id, devices[pair.to].Id), problem.Fleet.LinkBetween(pair.from, pair.to)))),
        };
    }
}

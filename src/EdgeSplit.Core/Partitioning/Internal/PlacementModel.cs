using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>A problem with every cost looked up once: what the evaluator and the searches work on. Immutable.</summary>
internal sealed class PlacementModel
{
    /// <summary>Above this many entries the table of transfer times is left out and they are computed as needed.</summary>
    private const long LargestTransferTable = 4_000_000;

    private readonly int[] _linkKinds;
    private readonly Link[] _links;
    private readonly int[][] _layerWeights;
    private readonly double[]? _transferSeconds;

    public PlacementModel(PartitionProblem problem)
    {
        Problem = problem;
        Graph = new CompiledGraph(problem.Graph);
        Devices = problem.Fleet.Devices;
        Source = problem.SourceDevice;
        Relay = problem.RelayDevice;
        RequireDevice(Source, nameof(PartitionProblem.SourceDevice));
        RequireDevice(Relay, nameof(PartitionProblem.RelayDevice));
        (_linkKinds, _links) = KindsOfLinks(problem.Fleet);
        LinkLatencySeconds = [.. _links.Select(static link => link.Latency.TotalSeconds)];
        if ((long)_links.Length * Graph.ValueCount <= LargestTransferTable)
        {
            _transferSeconds = new double[_links.Length * Graph.ValueCount];
            for (int i = 0; i < _transferSeconds.Length; i++)
                _transferSeconds[i] = problem.CostModel.TransferSeconds(Graph.Bytes[i % Graph.ValueCount], _links[i / Graph.ValueCount]);
        }
        _layerWeights = [.. problem.Graph.Layers.Select(static layer => layer.Weights.Distinct().ToArray())];
        LayerWeightBytes = [.. _layerWeights.Select(weights => weights.Sum(weight => problem.Graph.Weights[weight].ByteCount))];
        Seconds = AllLayerSeconds();
        CurrentAssignment = CheckedCurrentAssignment();
        CurrentRoutes = CheckedCurrentRoutes();
        HeldAssignments = !problem.Constraints.HoldsBothEpochs || CurrentAssignment.Length == 0 ? [] : CurrentRoutes.Length > 0 ? [.. CurrentRoutes.Select(static route => route.Assignment)] : [CurrentAssignment];
        var memory = new ActivationMemory(Graph);
        HeldActivationBytes = [.. Devices.Select((_, device) => HeldAssignments.Select(held => memory.PeakBytes(held, device)).DefaultIfEmpty().Max())];
        LayersAtSource = Source < 0 ? [] : FindLayersAtSource();
        Shared = [.. Devices.Select(static device => device.HasSharedInterface)];
        Slots = [.. Devices.Select(static device => Math.Max(1, device.ConcurrentStages))];
        HasIdlePower = Devices.Any(static device => device.IdleWatts > 0);
    }

    public PartitionProblem Problem { get; }

    public CompiledGraph Graph { get; }

    public ImmutableArray<Device> Devices { get; }

    public int LayerCount => Graph.LayerCount;

    public int DeviceCount => Devices.Length;

    public int Source { get; }

    public int Relay { get; }

    public bool Overlap => Problem.OverlapTransfers;

    public PlanMeasures Measures => Problem.CostModel.Measures;

    /// <summary>Whether the energy depends on how long a request takes.</summary>
    public bool HasIdlePower { get; }

    /// <summary>Whether the objective cannot be told without the latency.</summary>
    public bool NeedsLatency => Measures.HasFlag(PlanMeasures.Latency) || (HasIdlePower && Measures.HasFlag(PlanMeasures.Energy));

    public long[] LayerWeightBytes { get; }

    /// <summary>Seconds by layer and device, the device running fastest; infinite where it cannot run the layer.</summary>
    public double[] Seconds { get; }

    /// <summary>Where re-planning starts from, -1 for layers whose device has gone; empty where there is nothing to start from.</summary>
    public int[] CurrentAssignment { get; }

    /// <summary>The routes of the current plan where there are several; -1 for layers whose device has gone.</summary>
    public (double Share, int[] Assignment)[] CurrentRoutes { get; }

    /// <summary>What stays in memory beside the plan: the assignments of the current one, or none.</summary>
    public int[][] HeldAssignments { get; }

    /// <summary>Bytes of activations that the current plan keeps on each device beside the new one.</summary>
    public long[] HeldActivationBytes { get; }

    /// <summary>Layers that read inputs or make outputs of the model that cannot travel.</summary>
    public int[] LayersAtSource { get; }

    public bool[] Shared { get; }

    public int[] Slots { get; }

    public double[] LinkLatencySeconds { get; }

    public int LinkKindCount => _links.Length;

    /// <summary>The weights that a layer reads, each once.</summary>
    public ReadOnlySpan<int> WeightsOf(int layer) => _layerWeights[layer];

    public double SecondsOf(int layer, int device) => Seconds[(layer * Devices.Length) + device];

    public int LinkKind(int from, int to) => _linkKinds[(from * Devices.Length) + to];

    public double TransferSeconds(int value, int from, int to) => TransferSecondsByKind(value, LinkKind(from, to));

    public double TransferSecondsByKind(int value, int kind) => _transferSeconds is not null
        ? _transferSeconds[(kind * Graph.ValueCount) + value]
        : Problem.CostModel.TransferSeconds(Graph.Bytes[value], _links[kind]);

    public double JoulesPerByte(int from, int to) => _links[LinkKind(from, to)].JoulesPerByte;

    /// <summary>Seconds until a value that is on one device is on another, link latency and relay included.</summary>
    public double DeliverySeconds(int value, int from, int to)
    {
        if (from == to)
            return 0;
        return Relay < 0 || Relay == from || Relay == to ? Hop(value, from, to) : Hop(value, from, Relay) + Hop(value, Relay, to);

        double Hop(int value, int from, int to)
        {
            int kind = LinkKind(from, to);
            return TransferSecondsByKind(value, kind) + LinkLatencySeconds[kind];
        }
    }

    private static (int[] Kinds, Link[] Links) KindsOfLinks(Fleet fleet)
    {
        int count = fleet.Devices.Length;
        var links = new List<Link> { fleet.DefaultLink, Link.Local };
        var numbers = new Dictionary<Link, int> { [fleet.DefaultLink] = 0 };
        numbers.TryAdd(Link.Local, 1);
        var kinds = new int[count * count];
        foreach (((int from, int to), Link link) in fleet.ListedLinks)
        {
            if (!numbers.TryGetValue(link, out int number))
            {
                numbers.Add(link, number = links.Count);
                links.Add(link);
            }
            kinds[(from * count) + to] = number;
        }
        for (int device = 0; device < count; device++)
            kinds[(device * count) + device] = 1;
        return (kinds, [.. links]);
    }

    private double[] AllLayerSeconds()
    {
        var seconds = new double[LayerCount * Devices.Length];
        for (int device = 0; device < Devices.Length; device++)
        {
            ImmutableArray<double> measured = Problem.MeasuredLayerSeconds.GetValueOrDefault(Devices[device].Id);
            if (!measured.IsDefault && measured.Length != LayerCount)
                throw new ArgumentException($"Device '{Devices[device].Id}' measured {measured.Length} layers; model '{Problem.Graph.Name}' has {LayerCount}.");
            foreach (Layer layer in Problem.Graph.Layers)
            {
                double? known = measured.IsDefault || double.IsNaN(measured[layer.Index]) ? null : measured[layer.Index];
                double value = Devices[device].RunsLayers
                    ? Problem.CostModel.LayerSeconds(layer, LayerWeightBytes[layer.Index], Devices[device], known)
                    : double.PositiveInfinity;
                if (!(value >= 0))
                    throw new ArgumentException($"Cost model '{Problem.CostModel.Name}' gives {value} s for layer '{layer.Name}' on device '{Devices[device].Id}'; it must be 0 or more.");
                seconds[(layer.Index * Devices.Length) + device] = value;
            }
        }
        return seconds;
    }

    private int[] FindLayersAtSource()
    {
        var layers = new SortedSet<int>();
        foreach (Activation activation in Problem.Graph.Activations)
        {
            if (activation.CanTravel)
                continue;
            if (activation.Producer < 0)
                layers.UnionWith(activation.Consumers);
            else if (activation.IsModelOutput)
                layers.Add(activation.Producer);
        }
        return [.. layers];
    }

    private int[] CheckedCurrentAssignment() => Problem.CurrentAssignment.IsDefaultOrEmpty ? [] : Checked(Problem.CurrentAssignment);

    private (double Share, int[] Assignment)[] CheckedCurrentRoutes() => [.. Problem.CurrentRoutes.Select(route => (route.Share, Checked(route.Assignment)))];

    private int[] Checked(ImmutableArray<int> current)
    {
        if (current.Length != LayerCount)
            throw new ArgumentException($"The current assignment names {current.Length} layers; model '{Problem.Graph.Name}' has {LayerCount}.");
        return [.. current.Select(device => device >= 0 && device < Devices.Length ? device : -1)];
    }

    private void RequireDevice(int device, string property)
    {
        if (device < -1 || device >= Devices.Length)
            throw new ArgumentException($"{property} is {device}; the fleet has {Devices.Length} devices (-1 is none).");
    }
}

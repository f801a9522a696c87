using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>
/// A workload of "Efficient Algorithms for Device Placement of DNN Graph Operators" (Tarnawski et al., NeurIPS 2020):
/// equal accelerators that reach a host's memory by a bus of their own, and the host's processors.
/// </summary>
internal sealed class AcceleratorWorkload
{
    /// <summary>The workloads give transfer times; as bytes of this many per unit of time they fit the library's links.</summary>
    private const double BytesPerUnit = 1e9;

    /// <summary>Node sizes are made so much larger that these stand-ins for values do not count against memory (less than 0.1 MB per device).</summary>
    private const long SizeFactor = 100_000_000;

    private readonly WorkloadFile _file;
    private readonly int[] _order;

    public AcceleratorWorkload(string path, WorkloadFile file)
    {
        Path = path;
        _file = file;
        _order = TopologicalOrder(file);
    }

    public string Path { get; }

    /// <summary>The folder and name as in the reference's own files, such as <c>LayerGraphs__resnet50_inference</c>.</summary>
    public string Name => $"{System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(Path))}__{System.IO.Path.GetFileNameWithoutExtension(Path)}";

    public int Accelerators => _file.MaxFpgas;

    public int Processors => _file.MaxCpus;

    public double AcceleratorMemory => _file.MaxSizePerFpga;

    /// <summary>The position of the host in the fleet and in assignments; the accelerators come before it.</summary>
    public int Host => Accelerators;

    /// <summary>The nodes in the order of the problem's layers.</summary>
    public IEnumerable<WorkloadNode> Nodes => _order.Select(position => _file.Nodes[position]);

    /// <summary>The edges.</summary>
    public IReadOnlyList<WorkloadEdge> Edges => _file.Edges;

    public static AcceleratorWorkload Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return new AcceleratorWorkload(path, JsonSerializer.Deserialize<WorkloadFile>(stream)!);
    }

    /// <summary>The workload with other accelerators.</summary>
    public AcceleratorWorkload With(double memory, int accelerators) => new(Path, _file with { MaxSizePerFpga = memory, MaxFpgas = accelerators });

    /// <summary>
    /// The problem in the library's terms. A device does not compute while it sends or receives; every value
    /// passes through host memory, is written there once, and read by each accelerator that needs it; the host itself is
    /// not kept busy by that. One device stands for the host's processors.
    /// </summary>
    public PartitionProblem ToProblem(PlanObjective objective) => new()
    {
        Graph = ToGraph(),
        Fleet = new Fleet(
            [.. Enumerable.Range(0, Accelerators).Select(index => new Device { Id = $"fpga{index}", MemoryBytes = (long)AcceleratorMemory * SizeFactor }), new Device { Id = "cpu", HasSharedInterface = false, ConcurrentStages = Processors }],
            defaultLink: new Link { BytesPerSecond = BytesPerUnit, Latency = TimeSpan.Zero }),
        CostModel = WeightedCostModel.ForObjective(objective),
        OverlapTransfers = false,
        RelayDevice = Host,
        MeasuredLayerSeconds = Enumerable.Range(0, Accelerators).ToImmutableDictionary(static index => $"fpga{index}",
            _ => Nodes.Select(static node => node.IsSupportedOnFpga ? node.FpgaLatency : double.PositiveInfinity).ToImmutableArray())
            .Add("cpu", [.. Nodes.Select(static node => node.CpuLatency)]),
        Constraints = new PlanConstraints
        {
            Colocated = [.. Nodes.Select(static (node, layer) => (node.ColorClass, layer)).Where(static pair => pair.ColorClass is not null)
                .GroupBy(static pair => pair.ColorClass, static pair => pair.layer).Where(static group => group.Count() > 1).Select(static group => group.ToImmutableArray())],
        },
    };

    private ModelGraph ToGraph()
    {
        var layerOf = _order.Select((position, layer) => (_file.Nodes[position].Id, layer)).ToDictionary(static pair => pair.Id, static pair => pair.layer);
        ILookup<int, WorkloadEdge> bySource = _file.Edges.ToLookup(edge => layerOf[edge.SourceId]);
        int[] sources = [.. Enumerable.Range(0, _order.Length).Where(bySource.Contains)];
        Activation[] activations = [.. sources.Select((layer, index) => new Activation
        {
            Index = index,
            Info = new TensorInfo($"node{_file.Nodes[_order[layer]].Id}", TensorElementType.Undefined, default),
            Producer = layer,
            Consumers = [.. bySource[layer].Select(edge => layerOf[edge.DestId]).Distinct().Order()],
            ByteCount = (long)Math.Round(bySource[layer].Max(static edge => edge.Cost) * BytesPerUnit),
        })];
        ILookup<int, int> inputs = activations.SelectMany(static activation => activation.Consumers.Select(consumer => (consumer, activation.Index)))
            .ToLookup(static pair => pair.consumer, static pair => pair.Index);
        ILookup<int, int> outputs = activations.ToLookup(static activation => activation.Producer, static activation => activation.Index);
        return new ModelGraph(
            Name,
            [.. Nodes.Select((node, layer) => new Layer { Index = layer, Name = $"node{node.Id}", Kind = node.Name ?? "", Weights = [layer], Inputs = [.. inputs[layer]], Outputs = [.. outputs[layer]] })],
            [.. activations],
            [.. Nodes.Select(static (node, layer) => new Weight(layer, $"size{node.Id}", (long)node.Size * SizeFactor))]);
    }

    private static int[] TopologicalOrder(WorkloadFile file)
    {
        var position = file.Nodes.Select(static (node, index) => (node.Id, index)).ToDictionary(static pair => pair.Id, static pair => pair.index);
        var waiting = new int[file.Nodes.Count];
        foreach (WorkloadEdge edge in file.Edges)
            waiting[position[edge.DestId]]++;
        ILookup<int, int> next = file.Edges.ToLookup(edge => position[edge.SourceId], edge => position[edge.DestId]);
        // Depth first, so that branches stay together.
        var open = new Stack<int>(Enumerable.Range(0, waiting.Length).Where(node => waiting[node] == 0).OrderByDescending(node => file.Nodes[node].Id));
        var order = new List<int>();
        while (open.TryPop(out int node))
        {
            order.Add(node);
            foreach (int to in next[node])
            {
                if (--waiting[to] == 0)
                    open.Push(to);
            }
        }
        return order.Count == waiting.Length ? [.. order] : throw new InvalidDataException("The workload's graph has a cycle.");
    }
}

internal sealed record WorkloadFile(
    [property: JsonPropertyName("maxSizePerFPGA")] double MaxSizePerFpga,
    [property: JsonPropertyName("maxFPGAs")] int MaxFpgas,
    [property: JsonPropertyName("maxCPUs")] int MaxCpus,
    [property: JsonPropertyName("nodes")] List<WorkloadNode> Nodes,
    [property: JsonPropertyName("edges")] List<WorkloadEdge> Edges);

internal sealed record WorkloadNode(
    [property: JsonPropertyName("id")] int Id,
    [property: JsonPropertyName("name")] string? Name,
    [property: JsonPropertyName("supportedOnFpga")] JsonElement SupportedOnFpga,
    [property: JsonPropertyName("cpuLatency")] double CpuLatency,
    [property: JsonPropertyName("fpgaLatency")] double FpgaLatency,
    [property: JsonPropertyName("size")] double Size,
    [property: JsonPropertyName("colorClass")] int? ColorClass)
{
    /// <summary>Some files say true and false, others 1 and 0.</summary>
    public bool IsSupportedOnFpga => SupportedOnFpga.ValueKind is JsonValueKind.True || (SupportedOnFpga.ValueKind is JsonValueKind.Number && SupportedOnFpga.GetInt32() != 0);
}

internal sealed record WorkloadEdge(
    [property: JsonPropertyName("sourceId")] int SourceId,
    [property: JsonPropertyName("destId")] int DestId,
    [property: JsonPropertyName("cost")] double Cost);

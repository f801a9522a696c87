using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>PipeEdge's profiles of ViT-Base on two types of device, batches of 8, 1 Gbit/s.</summary>
internal sealed class PipeEdgeWorkload
{
    private const string Model = "google/vit-base-patch16-224";
    private const int BatchSize = 8;
    private const double MegaBytes = 1024 * 1024;
    private readonly string _deviceTypes;
    private readonly string _models;

    /// <param name="folder">The folder of <c>device_types.yml</c> and <c>models.yml</c>.</param>
    public PipeEdgeWorkload(string folder)
    {
        _deviceTypes = File.ReadAllText(Path.Combine(folder, "device_types.yml"));
        _models = File.ReadAllText(Path.Combine(folder, "models.yml"));
    }

    /// <summary>The throughput problem with some hosts of each type.</summary>
    /// <param name="hosts">How many hosts of each type.</param>
    /// <param name="asReference">
    /// Whether every host has the profile of the first type, as in PipeEdge's scheduler, which takes the number of a type for that of a host.
    /// </param>
    public PartitionProblem ToProblem(int hosts, bool asReference)
    {
        string[] types = ["Minnowboard-E3845", "RCC-VE-C2000"];
        string model = Section(_models, Model, 0);
        double[] parametersOut = Numbers(model, "parameters_out");
        double[] memory = Numbers(model, "mem_MB");
        var devices = new List<Device>();
        var seconds = new Dictionary<string, ImmutableArray<double>>();
        double megabits = 0;
        for (int type = 0; type < types.Length; type++)
        {
            string section = Section(_deviceTypes, types[asReference ? 0 : type], 0);
            megabits = Number(section, "bw_Mbps");
            for (int host = 0; host < hosts; host++)
            {
                var device = new Device { Id = $"{types[type]}-{host}", MemoryBytes = (long)(Number(section, "mem_MB") * MegaBytes) };
                devices.Add(device);
                seconds[device.Id] = [.. Numbers(Section(section, Model, 4), "time_s")];
            }
        }
        return new PartitionProblem
        {
            Graph = ToGraph(parametersOut, memory),
            Fleet = new Fleet(devices, defaultLink: new Link { BytesPerSecond = megabits * MegaBytes / 8, Latency = TimeSpan.Zero }),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
            MeasuredLayerSeconds = seconds.ToImmutableDictionary(),
        };
    }

    private static ModelGraph ToGraph(double[] parametersOut, double[] memory) => new(
        Model,
        [.. parametersOut.Select(static (_, layer) => new Layer { Index = layer, Name = $"layer{layer + 1}", Kind = "ViT", Weights = [layer], Inputs = layer == 0 ? [] : [layer - 1], Outputs = [layer] })],
        [.. parametersOut.Select((count, layer) => new Activation
        {
            Index = layer,
            Info = new TensorInfo($"out{layer + 1}", TensorElementType.Float, default),
            Producer = layer,
            Consumers = layer + 1 < parametersOut.Length ? [layer + 1] : [],
            IsModelOutput = layer + 1 == parametersOut.Length,
            ByteCount = (long)count * sizeof(float) * BatchSize,
        })],
        [.. memory.Select(static (megabytes, layer) => new Weight(layer, $"layer{layer + 1}", (long)(megabytes * MegaBytes)))]);

    /// <summary>What stands below a key, by its indentation.</summary>
    private static string Section(string yaml, string key, int indentation)
    {
        string[] lines = yaml.Split('\n');
        int start = Array.FindIndex(lines, line => line.TrimEnd() == $"{new string(' ', indentation)}{key}:");
        if (start < 0)
            throw new InvalidDataException($"The profiles have no '{key}'.");
        return string.Join('\n', lines.Skip(start + 1).TakeWhile(line => line.Length > indentation && (line[..(indentation + 1)].Trim().Length == 0 || line[indentation] == '-')));
    }

    private static double[] Numbers(string section, string key) =>
        [.. Regex.Match(section, $@"\b{key}:\s*\[([^\]]*)\]").Groups[1].Value.Split(',').Select(static text => double.Parse(text.Trim(), CultureInfo.InvariantCulture))];

    private static double Number(string section, string key) => double.Parse(Regex.Match(section, $@"\b{key}:\s*([\d.]+)").Groups[1].Value, CultureInfo.InvariantCulture);
}

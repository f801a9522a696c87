// Shows a cost model of one's own changing the plan: the first minimises the time between two results; the second also
// minds a camera that runs on battery, and a metered uplink.
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using Spectre.Console;
using Link = EdgeSplit.Devices.Link;

DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-costs-");
try
{
    string path = Path.Combine(folder.FullName, "mobilenetv2.onnx");
    Zoo.Get("mobilenetv2").Write(path);
    using OnnxModel model = OnnxModel.Open(path);

    var fleet = new Fleet(
        [
            new Device { Id = "camera", FlopsPerSecond = 20e9, MemoryBytesPerSecond = 4e9, ActiveWatts = 6 },
            new Device { Id = "gateway", FlopsPerSecond = 40e9, MemoryBytesPerSecond = 10e9, ActiveWatts = 15 },
        ],
        defaultLink: new Link { BytesPerSecond = 60e6, Latency = TimeSpan.FromMilliseconds(1) });

    foreach (ICostModel costModel in new ICostModel[] { WeightedCostModel.ForObjective(PlanObjective.Throughput), new MeteredBatteryCostModel() })
    {
        var problem = new PartitionProblem { Graph = model.Graph, Fleet = fleet, SourceDevice = 0, CostModel = costModel };
        PartitionPlan plan = new LocalSearchPartitioner().Partition(problem, CancellationToken.None);
        var table = new Table { Title = new TableTitle($"{costModel.Name}: {plan.Cost.TransferredBytes / 1024.0:0} KiB moved, a result every {plan.Cost.BottleneckSeconds * 1000:0.0} ms") };
        table.AddColumns("device", "layers", "busy");
        foreach (var group in plan.Assignment.Select((device, layer) => (Device: device, Layer: layer)).GroupBy(static pair => pair.Device).OrderBy(static group => group.Key))
        {
            double busy = plan.Stages.Where(stage => stage.Device == group.Key).Sum(static stage => stage.PredictedSeconds);
            table.AddRow(fleet.Devices[group.Key].Id, $"{group.Count()}", $"{busy * 1000:0.0} ms");
        }
        AnsiConsole.Write(table);
    }
    return 0;
}
finally
{
    folder.Delete(recursive: true);
}

/// <summary>Time as the default model sees it, except that work on the camera drains its battery and every byte sent costs money.</summary>
internal sealed class MeteredBatteryCostModel : ICostModel
{
    private const double BatteryFactor = 3;
    private const double SecondsWorthOfAMegabyte = 0.05;
    private readonly WeightedCostModel _time = WeightedCostModel.ForObjective(PlanObjective.Throughput);

    public string Name => "metered battery";

    public double LayerSeconds(Layer layer, long weightBytes, Device device, double? measuredSeconds) =>
        _time.LayerSeconds(layer, weightBytes, device, measuredSeconds) * (device.Id == "camera" ? BatteryFactor : 1);

    public double TransferSeconds(long byteCount, Link link) => _time.TransferSeconds(byteCount, link);

    public double Combine(in PlanCost cost) => cost.BottleneckSeconds + (cost.TransferredBytes / 1e6 * SecondsWorthOfAMegabyte);
}

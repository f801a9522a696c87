using System.Globalization;
using EdgeSplit.Partitioning;
using Spectre.Console;

namespace EdgeSplit.Tool.Output;

/// <summary>A plan as a table.</summary>
internal static class PlanTable
{
    private const int MostRoutesDescribed = 8;

    public static Table Create(PartitionPlan plan)
    {
        bool hasCopies = plan.Routes.Length > 1;
        Table table = Tables.Create($"Plan for {plan.Graph.Name} by {plan.Partitioner}", ["stage", "device", .. hasCopies ? [">requests"] : Array.Empty<string>(), ">layers", ">operations", ">weights", ">bytes out", ">predicted"]);
        foreach (PlanStage stage in plan.Stages)
        {
            table.Add([
                stage.Index.ToString(CultureInfo.InvariantCulture),
                plan.Fleet.Devices[stage.Device].Id,
                .. hasCopies ? [stage.Share.ToString("0.#%", CultureInfo.InvariantCulture)] : Array.Empty<string>(),
                stage.Layers.Length.ToString(CultureInfo.InvariantCulture),
                Units.Operations(stage.Layers.Sum(layer => plan.Graph.Layers[layer].FloatOperations)),
                Units.Bytes(WeightBytes(plan, stage)),
                Units.Bytes(BytesOut(plan, stage)),
                Units.Milliseconds(stage.PredictedSeconds),
            ]);
        }
        table.Caption = new TableTitle(string.Create(
            CultureInfo.InvariantCulture,
            $"predicted latency {Units.Milliseconds(plan.Cost.LatencySeconds)}, at most {1 / plan.Cost.BottleneckSeconds:0.0} requests/s, {Units.Bytes(plan.Cost.TransferredBytes)} moved per request{(hasCopies ? $"; requests take {plan.Routes.Length} routes in turn: {DescribeRoutes(plan)}" : "")}"));
        return table;
    }

    /// <summary>The stages of each route, with the share of requests that take it where there are several.</summary>
    public static string DescribeRoutes(PartitionPlan plan) => string.Join(" | ", plan.Routes.Take(MostRoutesDescribed).Select(route =>
        string.Create(CultureInfo.InvariantCulture, $"{route.Share:0.#%} ") + string.Join(" → ", route.Stages.Select(stage => stage.ToString(CultureInfo.InvariantCulture)))))
        + (plan.Routes.Length > MostRoutesDescribed ? " …" : "");

    /// <summary>The plan for programs.</summary>
    public static IEnumerable<object> Describe(PartitionPlan plan) => plan.Stages.Select(stage => (object)new
    {
        stage = stage.Index,
        device = plan.Fleet.Devices[stage.Device].Id,
        layers = stage.Layers.Length,
        weightBytes = WeightBytes(plan, stage),
        bytesOut = BytesOut(plan, stage),
        predictedSeconds = stage.PredictedSeconds,
        share = stage.Share,
    });

    /// <summary>The bytes of the weights that a stage reads, each counted once.</summary>
    public static long WeightBytes(PartitionPlan plan, PlanStage stage) =>
        stage.Layers.SelectMany(layer => plan.Graph.Layers[layer].Weights).Distinct().Sum(weight => plan.Graph.Weights[weight].ByteCount);

    /// <summary>The bytes that a stage makes for others.</summary>
    public static long BytesOut(PartitionPlan plan, PlanStage stage) =>
        stage.Outputs.Sum(output => plan.Graph.Activations[output].ByteCount);
}

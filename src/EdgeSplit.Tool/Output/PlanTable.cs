using System.Globalization;
using EdgeSplit.Partitioning;
using Spectre.Console;

namespace EdgeSplit.Tool.Output;

/// <summary>A plan as a table.</summary>
internal static class PlanTable
{
    public static Table Create(PartitionPlan plan)
    {
        Table table = Tables.Create($"Plan for {plan.Graph.Name} by {plan.Partitioner}", "stage", "device", ">layers", ">operations", ">weights", ">bytes out", ">predicted");
        foreach (PlanStage stage in plan.Stages)
        {
            table.Add(
                stage.Index.ToString(CultureInfo.InvariantCulture),
                plan.Fleet.Devices[stage.Device].Id,
                stage.Layers.Length.ToString(CultureInfo.InvariantCulture),
                Units.Operations(stage.Layers.Sum(layer => plan.Graph.Layers[layer].FloatOperations)),
                Units.Bytes(WeightBytes(plan, stage)),
                Units.Bytes(BytesOut(plan, stage)),
                Units.Milliseconds(stage.PredictedSeconds));
        }
        table.Caption = new TableTitle(string.Create(
            CultureInfo.InvariantCulture,
            $"predicted latency {Units.Milliseconds(plan.Cost.LatencySeconds)}, at most {1 / plan.Cost.BottleneckSeconds:0.0} requests/s, {Units.Bytes(plan.Cost.TransferredBytes)} moved per request"));
        return table;
    }

    /// <summary>The plan for programs.</summary>
    public static IEnumerable<object> Describe(PartitionPlan plan) => plan.Stages.Select(stage => (object)new
    {
        stage = stage.Index,
        device = plan.Fleet.Devices[stage.Device].Id,
        layers = stage.Layers.Length,
        weightBytes = WeightBytes(plan, stage),
        bytesOut = BytesOut(plan, stage),
        predictedSeconds = stage.PredictedSeconds,
    });

    /// <summary>The bytes of the weights that a stage reads, each counted once.</summary>
    public static long WeightBytes(PartitionPlan plan, PlanStage stage) =>
        stage.Layers.SelectMany(layer => plan.Graph.Layers[layer].Weights).Distinct().Sum(weight => plan.Graph.Weights[weight].ByteCount);

    /// <summary>The bytes that a stage makes for others.</summary>
    public static long BytesOut(PartitionPlan plan, PlanStage stage) =>
        stage.Outputs.Sum(output => plan.Graph.Activations[output].ByteCount);
}

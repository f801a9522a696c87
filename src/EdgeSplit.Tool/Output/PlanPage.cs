using System.Text.Json;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Tool.Output;

/// <summary>Writes a plan as one HTML page that needs no network: figures, stages, a Gantt chart, and the model coloured by device.</summary>
internal static class PlanPage
{
    public static void Write(string path, PartitionProblem problem, PartitionPlan plan) =>
        HtmlPage.Write(path, "PlanPage.html", Data(problem, plan), JsonSerializerOptions.Web);

    private static object Data(PartitionProblem problem, PartitionPlan plan)
    {
        var graph = plan.Graph;
        PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(plan.Routes);
        return new
        {
            model = graph.Name,
            partitioner = plan.Partitioner,
            latencySeconds = plan.Cost.LatencySeconds,
            bottleneckSeconds = plan.Cost.BottleneckSeconds,
            transferredBytes = plan.Cost.TransferredBytes,
            energyJoules = plan.Cost.EnergyJoules,
            gap = plan.LowerBound is > 0 ? (plan.Objective / plan.LowerBound) - 1 : null,
            devices = plan.Fleet.Devices.Select(static device => device.Id),
            stages = plan.Stages.Select(stage => new
            {
                device = stage.Device,
                layers = stage.Layers.Length,
                weightBytes = PlanTable.WeightBytes(plan, stage),
                seconds = stage.PredictedSeconds,
                share = stage.Share,
                bytesOut = PlanTable.BytesOut(plan, stage),
            }),
            routes = plan.Routes.Select(static route => new { share = route.Share, stages = route.Stages }),
            schedule = evaluation.Timeline.Select(entry => new
            {
                lane = entry.Kind == TimelineEntryKind.Compute ? plan.Fleet.Devices[entry.Device].Id : $"{plan.Fleet.Devices[entry.Device].Id} → {plan.Fleet.Devices[entry.Receiver].Id}",
                device = entry.Device,
                transfer = entry.Kind == TimelineEntryKind.Transfer,
                label = entry.Kind == TimelineEntryKind.Compute ? $"stage {entry.Index}" : graph.Activations[entry.Index].Info.Name,
                start = entry.StartSeconds,
                end = entry.EndSeconds,
            }),
            layers = graph.Layers.Select(layer => new
            {
                name = layer.Name,
                kind = layer.Kind,
                device = plan.Assignment[layer.Index],
                floatOperations = layer.FloatOperations,
                weightBytes = layer.Weights.Sum(weight => graph.Weights[weight].ByteCount),
            }),
            edges = graph.Activations
                .Where(static activation => activation.Producer >= 0)
                .SelectMany(static activation => activation.Consumers.Select(consumer => new[] { activation.Producer, consumer, activation.ByteCount })),
        };
    }
}

using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class LayerwisePartitionerTests
{
    [Test]
    public void Equal_devices_give_as_many_stages([Values(1, 2, 3, 5, 8)] int devices, [Range(0, 5)] int seed)
    {
        ModelGraph graph = PlanningGraph.Random(new Random(seed), 20, 2);
        PartitionPlan plan = new LayerwisePartitioner().Partition(Problem(graph, devices), default);
        Assert.That(plan.Stages, Has.Length.EqualTo(devices));
        Assert.That(plan.Stages.Select(static stage => stage.Device), Is.EqualTo(Enumerable.Range(0, devices)));
    }

    [Test]
    public void More_devices_than_layers_give_a_stage_per_layer() =>
        Assert.That(new LayerwisePartitioner().Partition(Problem(PlanningGraph.Chain(3), 5), default).Stages, Has.Length.EqualTo(3));

    [Test]
    public void Parts_are_balanced_by_time()
    {
        PartitionPlan plan = new LayerwisePartitioner().Partition(Problem(PlanningGraph.Chain(6, bytes: 0, operations: [1, 1, 1, 1, 4, 4]), 3), default);
        Assert.That(plan.Assignment, Is.EqualTo(new[] { 0, 0, 0, 0, 1, 2 }));
    }

    [Test]
    public void Values_that_cannot_travel_are_not_cut()
    {
        var graph = new PlanningGraph();
        int value = graph.Input(1);
        for (int i = 0; i < 6; i++)
            value = graph.Layer(1, [value], 1, isOutput: i == 5, canTravel: i is not (1 or 2 or 3));
        PartitionPlan plan = new LayerwisePartitioner().Partition(Problem(graph.Build(), 3), default);
        Assert.That(plan.Stages.Select(static stage => stage.Layers), Is.EqualTo(new int[][] { [0], [1, 2, 3, 4], [5] }));
    }

    [Test]
    public void Smaller_cut_is_preferred_between_equal_parts()
    {
        var graph = new PlanningGraph();
        int value = graph.Input(0);
        for (int i = 0; i < 4; i++)
            value = graph.Layer(10, [value], i == 1 ? 0 : 1, isOutput: i == 3);
        Assert.That(new LayerwisePartitioner().Partition(Problem(graph.Build(), 2), default).Assignment, Is.EqualTo(new[] { 0, 0, 1, 1 }));
    }

    private static PartitionProblem Problem(ModelGraph graph, int devices) => new()
    {
        Graph = graph,
        Fleet = new Fleet(Enumerable.Range(0, devices).Select(static index => new Device { Id = $"d{index}", FlopsPerSecond = 1, LayerOverheadSeconds = 0 }), defaultLink: new Link { BytesPerSecond = 1 }),
        CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
    };
}

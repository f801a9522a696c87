using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

public sealed class CorrectionTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public async Task Repartition_plans_with_what_the_stages_took()
    {
        PartitionProblem? last = null;
        var partitioner = new FixedPartitioner(problem =>
        {
            last = problem;
            return problem.Graph.Layers.Select(layer => layer.Index < 3 ? "a" : "b");
        });
        await using Cluster cluster = await Cluster.CreateAsync(
            Model, 2, Cluster.Defaults with { Partitioner = partitioner, CostModel = new WeightedCostModel() });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chain");
        Assert.That(last!.MeasuredLayerSeconds, Is.Empty);

        for (int i = 0; i < 3; i++)
            (await deployment.InferAsync(Model.RandomInputs(i))).Dispose();
        await deployment.RepartitionAsync();

        Assert.That(last.MeasuredLayerSeconds.Keys, Is.EquivalentTo(["a", "b"]));
        Assert.That(last.MeasuredLayerSeconds["a"], Has.All.GreaterThan(0));
    }
}

using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>A plan that predicts nothing.</summary>
internal static class FreePlan
{
    /// <summary>A layer on each of two devices.</summary>
    public static PartitionPlan OfTwoStages { get; } = FixedPartitioner.Plan(
        new PartitionProblem
        {
            Graph = FakeModelBuilder.Chain("chain", 2).Graph,
            Fleet = new Fleet([new Device { Id = "a" }, new Device { Id = "b" }]),
            CostModel = new FreeCostModel(),
        },
        ["a", "b"]);
}

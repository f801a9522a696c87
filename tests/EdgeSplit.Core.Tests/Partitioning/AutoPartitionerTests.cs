using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class AutoPartitionerTests
{
    [TestCase(10_000, 8, PlanObjective.Throughput)]
    [TestCase(10_000, 8, PlanObjective.Latency)]
    [TestCase(300, 1000, PlanObjective.Throughput)]
    [TestCase(300, 1000, PlanObjective.Weighted)]
    public void Large_problems_are_planned_better_than_on_one_device_or_layer_by_layer(int layers, int devices, PlanObjective objective)
    {
        PartitionProblem problem = Large(layers, devices, objective);
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        var evaluator = new PlanEvaluator(problem);
        double oneDevice = Enumerable.Range(0, Math.Min(devices, 8)).Min(device => evaluator.Evaluate(Enumerable.Repeat(device, layers).ToArray()).Objective);
        Assert.That(plan.Objective, Is.LessThan(oneDevice));
        Assert.That(plan.Objective, Is.LessThanOrEqualTo(new LayerwisePartitioner().Partition(problem, default).Objective * 1.02));
        Assert.That(plan.LowerBound, Is.GreaterThan(0).And.LessThanOrEqualTo(plan.Objective));
    }

    [Test]
    public void Replanning_is_never_worse_than_the_current_plan_and_is_the_same_each_time()
    {
        PartitionProblem problem = Large(200, 6, PlanObjective.Weighted);
        PartitionPlan first = new AutoPartitioner().Partition(problem, default);
        Fleet slower = new(problem.Fleet.Devices.Select(device => device.Id == "d1" ? device with { CurrentLoad = 0.5 } : device), defaultLink: problem.Fleet.DefaultLink);
        PartitionProblem changed = problem with { Fleet = slower, CurrentAssignment = first.Assignment };
        PartitionPlan second = new AutoPartitioner().Partition(changed, default);
        Assert.That(second.Objective, Is.LessThanOrEqualTo(new PlanEvaluator(changed).Evaluate(first.Assignment.AsSpan()).Objective));
        Assert.That(new AutoPartitioner().Partition(changed, default).Assignment, Is.EqualTo(second.Assignment));
    }

    [Test]
    public void Current_assignment_with_a_device_that_has_gone_is_repaired()
    {
        PartitionProblem problem = Large(50, 3, PlanObjective.Latency) with { CurrentAssignment = [.. Enumerable.Range(0, 50).Select(static layer => (layer % 4) - 1)] };
        Assert.That(new AutoPartitioner().Partition(problem, default).Assignment, Is.All.InRange(0, 2));
    }

    [Test]
    public void Cancelled_at_once_it_still_gives_a_feasible_plan()
    {
        PartitionProblem problem = Large(300, 5, PlanObjective.Throughput);
        PartitionPlan plan = new AutoPartitioner().Partition(problem, new CancellationToken(true));
        Assert.That(new PlanEvaluator(problem).Evaluate(plan.Assignment.AsSpan()).Violations, Is.Empty);
    }

    [Test]
    public void Accepted_gap_ends_the_search_early_with_a_plan_within_it()
    {
        PartitionProblem problem = Large(100, 4, PlanObjective.Throughput);
        PartitionPlan plan = new AutoPartitioner(new AutoPartitionerOptions { AcceptedGap = 0.5 }).Partition(problem, default);
        Assert.That(plan.Objective, Is.LessThanOrEqualTo(plan.LowerBound!.Value * 1.5));
    }

    [Test]
    public void Cost_model_of_a_user_changes_the_plan()
    {
        PartitionProblem problem = Large(12, 3, PlanObjective.Latency) with { CostModel = new FewestBytes() };
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        Assert.That(plan.Assignment, Is.All.EqualTo(0), "nothing travels when all is on the source");
        Assert.That(plan.Objective, Is.Zero);
    }

    [Test]
    public void Options_refuse_a_budget_of_zero() =>
        Assert.Throws<ArgumentOutOfRangeException>(static () => _ = new AutoPartitionerOptions { TimeBudget = TimeSpan.Zero });

    private static PartitionProblem Large(int layers, int devices, PlanObjective objective)
    {
        var random = new Random(7);
        var graph = new PlanningGraph();
        var values = new List<int> { graph.Input(600_000) };
        for (int i = 0; i < layers; i++)
        {
            ImmutableArray<int> read = i % 7 == 3 ? [values[^1], values[Math.Max(0, values.Count - 4)]] : [values[^1]];
            values.Add(graph.Layer(random.Next(1, 100) * 1e6, read.AsSpan(), random.Next(1, 100) * 1000L, [graph.Weight(random.Next(1, 1000))], isOutput: i == layers - 1));
        }
        return new PartitionProblem
        {
            Graph = graph.Build("large"),
            Fleet = new Fleet(Enumerable.Range(0, devices).Select(index => new Device { Id = $"d{index}", FlopsPerSecond = random.Next(5, 50) * 1e9 }), defaultLink: new Link { BytesPerSecond = 50e6 }),
            CostModel = WeightedCostModel.ForObjective(objective),
            SourceDevice = 0,
        };
    }

    private sealed class FewestBytes : ICostModel
    {
        public string Name => "fewest-bytes";

        public double LayerSeconds(Layer layer, long weightBytes, Device device, double? measuredSeconds) => layer.FloatOperations / device.FlopsPerSecond;

        public double TransferSeconds(long byteCount, Link link) => byteCount / link.BytesPerSecond;

        public double Combine(in PlanCost cost) => cost.TransferredBytes;
    }
}

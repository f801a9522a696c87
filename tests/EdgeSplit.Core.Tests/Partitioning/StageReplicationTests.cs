using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

public sealed class StageReplicationTests
{
    [Test]
    public void Layer_that_cannot_be_split_is_shared_in_proportion_to_speed()
    {
        // Alone the fast device needs 1 s; both together 1/1.5 s, the fast one for two requests of three.
        PartitionProblem problem = Problem(PlanningGraph.Chain(1), [2, 1]);
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        Assert.That(plan.Objective, Is.EqualTo(1 / 3.0).Within(1e-9));
        Assert.That(plan.LowerBound, Is.EqualTo(plan.Objective).Within(1e-6));
        Assert.That(plan.Routes.Select(static route => route.Share), Is.EqualTo(new[] { 2 / 3.0, 1 / 3.0 }).Within(1e-9));
        Assert.That(plan.Stages.Select(static stage => (stage.Device, stage.Index)), Is.EqualTo(new[] { (0, 0), (1, 1) }));
        Assert.That(plan.Stages.Sum(static stage => stage.Share), Is.EqualTo(1).Within(1e-12));
    }

    [Test]
    public void Device_that_runs_a_stage_of_its_own_takes_as_much_of_the_bottleneck_as_it_has_time_for()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(2, operations: [1, 0.5]), [1, 1]);
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        Assert.That(plan.Objective, Is.EqualTo(0.75).Within(1e-9));
    }

    [Test]
    public void Bottlenecks_that_tie_are_all_relieved()
    {
        // Two heavy layers on a device each leave two devices idle; a copy of one of them alone would gain nothing.
        PartitionProblem problem = Problem(PlanningGraph.Chain(2), [1, 1, 1, 1]);
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        Assert.That(plan.Objective, Is.EqualTo(0.5).Within(1e-9));
    }

    [Test]
    public void No_copies_are_made_where_none_are_allowed_or_none_pay()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(4), [1, 1]);
        Assert.That(new AutoPartitioner().Partition(problem, default).Routes, Has.Length.EqualTo(1), "an even split is as fast");
        problem = Problem(PlanningGraph.Chain(1), [1, 1]);
        Assert.That(new AutoPartitioner().Partition(problem with { Constraints = new PlanConstraints() }, default).Routes, Has.Length.EqualTo(1), "none are allowed");
        Assert.That(new AutoPartitioner().Partition(problem with { CostModel = WeightedCostModel.ForObjective(PlanObjective.Latency) }, default).Routes, Has.Length.EqualTo(1), "no request is faster");
        Assert.That(new AutoPartitioner().Partition(problem with { Constraints = problem.Constraints with { Pinned = ImmutableDictionary<int, string>.Empty.Add(0, "d1") } }, default).Routes, Has.Length.EqualTo(1), "it is pinned");
    }

    [Test]
    public void Copies_keep_to_their_number_and_to_memory()
    {
        PartitionProblem problem = Problem(PlanningGraph.Chain(1, weightBytes: 100), [1, 1, 1, 1]);
        Assert.That(new AutoPartitioner().Partition(problem with { Constraints = new PlanConstraints { MaximumReplicas = 3 } }, default).Objective, Is.EqualTo(1 / 3.0).Within(1e-9));
        Fleet small = new(problem.Fleet.Devices.Select(static device => device.Id == "d2" ? device with { MemoryBytes = 90 } : device), defaultLink: problem.Fleet.DefaultLink);
        PartitionPlan plan = new AutoPartitioner().Partition(problem with { Fleet = small }, default);
        Assert.That(plan.Objective, Is.EqualTo(1 / 3.0).Within(1e-9));
        Assert.That(plan.Stages.Select(static stage => stage.Device), Has.None.EqualTo(2));
        plan = new AutoPartitioner().Partition(problem with { Constraints = problem.Constraints with { MaximumDevices = 2 } }, default);
        Assert.That(plan.Stages, Has.Length.EqualTo(2));
    }

    [Test]
    public void Weighted_objective_takes_copies_for_what_they_gain_on_balance()
    {
        // Copies halve the bottleneck and cost no latency where the source is free.
        PartitionProblem problem = Problem(PlanningGraph.Chain(1), [1, 1]) with { CostModel = new WeightedCostModel() };
        PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
        Assert.That(plan.Cost.BottleneckSeconds, Is.EqualTo(0.5).Within(1e-9));
        Assert.That(plan.Cost.LatencySeconds, Is.EqualTo(1).Within(1e-9));
    }

    [Test]
    public void Random_problems_are_between_the_bound_and_the_plan_without_copies([Range(0, 5)] int block)
    {
        bool withConstraints = block % 2 == 0;
        double gaps = 0, gains = 0;
        double worst = 0;
        int count = 0;
        for (int seed = block * 40; seed < (block + 1) * 40; seed++)
        {
            PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 5, withConstraints: withConstraints, objective: PlanObjective.Throughput);
            if (BruteForce.LowestObjective(problem) is not double without)
                continue;
            problem = problem with { Constraints = problem.Constraints with { MaximumReplicas = 3 } };
            PartitionPlan plan = new AutoPartitioner().Partition(problem, default);
            PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(plan.Routes);
            Assert.That(evaluation.Violations, Is.Empty, $"seed {seed}");
            Assert.That(plan.Objective, Is.EqualTo(evaluation.Objective).And.LessThanOrEqualTo(without * (1 + 1e-9)), $"seed {seed}");
            double best = BestMix(problem);
            Assert.That(plan.LowerBound, Is.LessThanOrEqualTo(best * (1 + 1e-9)), $"seed {seed}: the bound is above the best mix of assignments");
            Assert.That(new ExactPartitioner().Partition(problem, default).LowerBound, Is.LessThanOrEqualTo(best * (1 + 1e-9)), $"seed {seed}");
            if (best <= 0)
                continue;
            count++;
            gaps += (plan.Objective / best) - 1;
            worst = Math.Max(worst, (plan.Objective / best) - 1);
            gains += (without / best) - 1;
        }
        TestContext.Out.WriteLine($"plan {gaps / count:p2} (at most {worst:p1}) and without copies {gains / count:p2} above the best mix");
        if (withConstraints)
            return;
        // Without constraints the best mix is a plan; with memory shared by all of it, it need not be.
        Assert.That(gaps / count, Is.LessThanOrEqualTo(0.02));
        Assert.That(worst, Is.LessThanOrEqualTo(0.25));
    }

    /// <summary>The least bottleneck of any mix of the assignments that are feasible alone: no plan with copies is below.</summary>
    private static double BestMix(PartitionProblem problem)
    {
        var model = new PlacementModel(problem);
        var evaluator = new PlanEvaluator(problem);
        var columns = new List<double[]>();
        var assignment = new int[model.LayerCount];
        var loads = new PlacementLoads(model);
        do
        {
            // The allowed load is per mix, so that alone it excludes nothing; these problems state no rate.
            if (!evaluator.Evaluate(assignment).IsFeasible)
                continue;
            loads.Reset(assignment);
            columns.Add(LoadPrices.RowsOf(model, loads));
            if (columns[^1].Max() <= 0)
                return 0;
        }
        while (Next(assignment, model.DeviceCount));
        return MatrixGame.Solve(columns).Value;
    }

    private static bool Next(int[] assignment, int devices)
    {
        for (int layer = 0; layer < assignment.Length; layer++)
        {
            if (++assignment[layer] < devices)
                return true;
            assignment[layer] = 0;
        }
        return false;
    }

    private static PartitionProblem Problem(Models.ModelGraph graph, double[] speeds) => new()
    {
        Graph = graph,
        Fleet = new Fleet(speeds.Select(static (speed, index) => new Device { Id = $"d{index}", FlopsPerSecond = speed, MemoryBytesPerSecond = 1e12, LayerOverheadSeconds = 0 }), defaultLink: new Link { BytesPerSecond = 1e9 }),
        CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        Constraints = new PlanConstraints { MaximumReplicas = 16 },
    };
}

using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Testing.Conformance;

/// <summary>What every <see cref="IPartitioner"/> must do. A fixture inherits it and makes the partitioner.</summary>
public abstract class PartitionerConformance
{
    /// <summary>Makes the partitioner.</summary>
    protected abstract IPartitioner CreatePartitioner();

    /// <summary>The problem of a seed; override for a partitioner that takes only some problems.</summary>
    protected virtual PartitionProblem CreateProblem(int seed) => RandomProblems.Create(seed);

    [Test]
    public void Name_is_not_empty() => Assert.That(CreatePartitioner().Name, Is.Not.Empty);

    [Test]
    public void Plans_of_random_problems_are_what_the_evaluator_says_and_keep_every_constraint([Range(0, 9)] int block)
    {
        IPartitioner partitioner = CreatePartitioner();
        for (int seed = block * 30; seed < (block + 1) * 30; seed++)
        {
            PartitionProblem problem = CreateProblem(seed);
            double? optimum = BruteForce.LowestObjective(problem);
            if (optimum is not double lowest)
            {
                EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => partitioner.Partition(problem, default), $"seed {seed} has no feasible plan");
                Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.NoFeasiblePlan), $"seed {seed}");
                continue;
            }
            PartitionPlan plan = partitioner.Partition(problem, default);
            Assert.That(plan.Routes, Has.Length.EqualTo(1), $"seed {seed} allows no copies of stages");
            PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(plan.Assignment.AsSpan());
            Assert.That(evaluation.Violations, Is.Empty, $"seed {seed}");
            Assert.That(plan.Objective, Is.EqualTo(evaluation.Objective), $"seed {seed}");
            Assert.That(plan.Cost, Is.EqualTo(evaluation.Cost), $"seed {seed}");
            Assert.That(plan.Partitioner, Is.EqualTo(partitioner.Name), $"seed {seed}");
            Assert.That(plan.Stages.SelectMany(static stage => stage.Layers).Order(), Is.EqualTo(Enumerable.Range(0, problem.Graph.Layers.Length)), $"seed {seed}");
            Assert.That(plan.LowerBound ?? 0, Is.LessThanOrEqualTo(lowest * (1 + 1e-9)), $"seed {seed}: the lower bound is above the optimum");
        }
    }

    [Test]
    public void Plans_of_problems_that_allow_copies_of_stages_are_what_the_evaluator_says_and_bounds_hold_for_copies_too()
    {
        IPartitioner partitioner = CreatePartitioner();
        for (int seed = 0; seed < 40; seed++)
        {
            PartitionProblem problem = CreateProblem(seed);
            if (BruteForce.LowestObjective(problem) is null)
                continue;
            problem = problem with { Constraints = problem.Constraints with { MaximumReplicas = 3 } };
            PartitionPlan plan = partitioner.Partition(problem, default);
            PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(plan.Routes);
            Assert.That(evaluation.Violations, Is.Empty, $"seed {seed}");
            Assert.That(plan.Objective, Is.EqualTo(evaluation.Objective), $"seed {seed}");
            Assert.That(plan.Cost, Is.EqualTo(evaluation.Cost), $"seed {seed}");
            Assert.That(plan.Routes.SelectMany(static route => route.Stages).Distinct().Order(), Is.EqualTo(Enumerable.Range(0, plan.Stages.Length)), $"seed {seed}");
            foreach (PlanRoute route in plan.Routes)
                Assert.That(route.Stages.SelectMany(stage => plan.Stages[stage].Layers).Order(), Is.EqualTo(Enumerable.Range(0, problem.Graph.Layers.Length)), $"seed {seed}");
            Assert.That(plan.LowerBound ?? 0, Is.LessThanOrEqualTo(new AutoPartitioner().Partition(problem, default).Objective * (1 + 1e-9)), $"seed {seed}: another plan is below the lower bound");
        }
    }

    [Test]
    public void Same_problem_gives_the_same_plan_from_many_threads()
    {
        IPartitioner partitioner = CreatePartitioner();
        PartitionProblem problem = CreateProblem(Enumerable.Range(0, 1000).First(seed => BruteForce.LowestObjective(CreateProblem(seed)) is not null && CreateProblem(seed).Graph.Layers.Length > 3));
        PartitionPlan expected = partitioner.Partition(problem, default);
        Parallel.For(0, 8, _ => Assert.That(partitioner.Partition(problem, default).Assignment, Is.EqualTo(expected.Assignment)));
    }

    [Test]
    public void Cancelled_beforehand_gives_a_plan_or_says_that_it_was_cancelled()
    {
        PartitionProblem problem = RandomProblems.Create(3, withConstraints: false);
        try
        {
            PartitionPlan plan = CreatePartitioner().Partition(problem, new CancellationToken(true));
            Assert.That(plan.Assignment, Has.Length.EqualTo(problem.Graph.Layers.Length));
        }
        catch (OperationCanceledException)
        {
            Assert.Pass("It says that it was cancelled.");
        }
    }

    [Test]
    public void Too_little_memory_is_told_with_the_device_and_the_bytes()
    {
        var problem = new PartitionProblem
        {
            Graph = PlanningGraph.Chain(2, weightBytes: 1500),
            Fleet = new Fleet([new Device { Id = "small", MemoryBytes = 1000 }]),
            CostModel = WeightedCostModel.ForObjective(PlanObjective.Latency),
        };
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => CreatePartitioner().Partition(problem, default));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.NoFeasiblePlan));
        Assert.That(exception.Message, Does.Contain("small").And.Contain("500 bytes"));
    }
}

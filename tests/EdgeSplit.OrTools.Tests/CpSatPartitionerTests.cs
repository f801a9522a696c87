using EdgeSplit.Costs;
using EdgeSplit.OrTools;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.OrTools;

public sealed class CpSatPartitionerConformance : PartitionerConformance
{
    protected override IPartitioner CreatePartitioner() => CpSat.ForTests();
}

/// <summary>Small problems of every kind, against trying every assignment.</summary>
public sealed class CpSatOptimalityTests
{
    /// <summary>A warm start that hardly searches leaves the work to the solver.</summary>
    private static readonly AutoPartitionerOptions NoSearch = new() { TimeBudget = TimeSpan.FromMicroseconds(1) };

    [Test]
    public void Bottleneck_isProvenToTheOptimum([Range(0, 3)] int block) => Check(block, PlanObjective.Throughput, (plan, optimum, seed) =>
    {
        Assert.That(plan.Objective, Is.EqualTo(optimum).Within(1e-3).Percent, $"seed {seed}");
        Assert.That(plan.LowerBound, Is.EqualTo(optimum).Within(1e-3).Percent, $"seed {seed}");
    });

    [Test]
    public void OtherObjectives_areNearTheOptimumWithAValidBound([Range(0, 3)] int block, [Values(PlanObjective.Latency, PlanObjective.Energy, PlanObjective.Weighted)] PlanObjective objective) =>
        Check(block, objective, (plan, optimum, seed) => Assert.That(plan.Objective, Is.LessThanOrEqualTo(optimum * 1.05), $"seed {seed}"));

    [Test]
    public void SameProblemAndSeed_giveTheSamePlanAndBound([Values(1, 3)] int workers)
    {
        PartitionProblem problem = RandomProblems.Create(11, mostLayers: 40, mostDevices: 4, withConstraints: false, PlanObjective.Throughput);
        var partitioner = new CpSatPartitioner(new() { Workers = workers, TimeLimit = TimeSpan.FromSeconds(0.3), WarmStart = NoSearch });
        PartitionPlan first = partitioner.Partition(problem, default);
        PartitionPlan second = partitioner.Partition(problem, default);
        Assert.That(second.Assignment, Is.EqualTo(first.Assignment));
        Assert.That(second.LowerBound, Is.EqualTo(first.LowerBound));
    }

    [Test]
    public void Cancelled_whileSolving_givesThePlanSoFar()
    {
        PartitionProblem problem = RandomProblems.Create(5, mostLayers: 200, mostDevices: 8, withConstraints: false, PlanObjective.Throughput);
        using var cancellation = new CancellationTokenSource();
        cancellation.CancelAfter(TimeSpan.FromMilliseconds(200));
        try
        {
            PartitionPlan plan = new CpSatPartitioner(new() { TimeLimit = TimeSpan.FromSeconds(1000) }).Partition(problem, cancellation.Token);
            Assert.That(plan.LowerBound, Is.LessThanOrEqualTo(plan.Objective));
        }
        catch (OperationCanceledException)
        {
            Assert.Pass("It says that it was cancelled.");
        }
    }

    private static void Check(int block, PlanObjective objective, Action<PartitionPlan, double, int> check)
    {
        for (int seed = block * 40; seed < (block + 1) * 40; seed++)
        {
            PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 6, mostDevices: 3, objective: objective);
            if (BruteForce.LowestObjective(problem) is not double optimum)
                continue;
            PartitionPlan plan = CpSat.ForTests(NoSearch).Partition(problem, default);
            Assert.That(plan.LowerBound, Is.Not.Null.And.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            check(plan, optimum, seed);
        }
    }
}

internal static class CpSat
{
    public static CpSatPartitioner ForTests(AutoPartitionerOptions? warmStart = null) => new(new CpSatPartitionerOptions
    {
        Workers = 1,
        TimeLimit = TimeSpan.FromSeconds(0.5),
        WarmStart = warmStart ?? new AutoPartitionerOptions(),
    });
}

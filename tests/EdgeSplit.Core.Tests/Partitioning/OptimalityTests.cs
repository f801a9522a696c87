using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Partitioning;

/// <summary>Thousands of small problems of every kind, against trying every assignment.</summary>
public sealed class OptimalityTests
{
    private const int Block = 250;

    [Test]
    public void Exact_proves_the_optimum_and_auto_is_near_it_with_a_valid_bound([Range(0, 7)] int block)
    {
        var gaps = new List<double>();
        foreach ((int seed, PartitionProblem problem, double optimum) in Solvable(block))
        {
            PartitionPlan exact = new ExactPartitioner().Partition(problem, default);
            Assert.That(exact.Objective, Is.EqualTo(optimum).Within(1e-9).Percent, $"seed {seed}");
            Assert.That(exact.LowerBound, Is.EqualTo(optimum).Within(1e-9).Percent, $"seed {seed}");

            PartitionPlan auto = new AutoPartitioner().Partition(problem, default);
            Assert.That(auto.LowerBound, Is.Not.Null.And.LessThanOrEqualTo(optimum * (1 + 1e-9)), $"seed {seed}");
            Assert.That(auto.Objective, Is.LessThanOrEqualTo(optimum * 1.05), $"seed {seed}");
            gaps.Add(optimum > 0 ? (auto.Objective / optimum) - 1 : 0);
        }
        Assert.That(gaps.Average(), Is.LessThanOrEqualTo(0.01));
    }

    private static IEnumerable<(int Seed, PartitionProblem Problem, double Optimum)> Solvable(int block)
    {
        for (int seed = block * Block; seed < (block + 1) * Block; seed++)
        {
            PartitionProblem problem = RandomProblems.Create(seed, mostLayers: 6, mostDevices: 3);
            if (BruteForce.LowestObjective(problem) is double optimum)
                yield return (seed, problem, optimum);
        }
    }
}

using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class TakeOverTests
{
    [Test]
    public void Find_gives_the_lost_devices_layers_to_the_one_with_which_the_plan_costs_least([Range(1, 12)] int seed)
    {
        PartitionProblem problem = RandomProblems.Create(seed, withConstraints: false);
        PartitionPlan plan = new LocalSearchPartitioner().Partition(problem, CancellationToken.None);
        int lost = plan.Assignment[0];
        ImmutableArray<int> left = [.. plan.Assignment.Select(device => device == lost ? -1 : device)];
        var evaluator = new PlanEvaluator(problem);

        PartitionPlan? found = TakeOver.Find(evaluator, left, lost);

        double[] objectives = [.. Enumerable.Range(0, problem.Fleet.Devices.Length).Where(device => device != lost && problem.Fleet.Devices[device].RunsLayers)
            .Select(device => evaluator.Evaluate([.. left.Select(used => used < 0 ? device : used)]))
            .Where(static evaluation => evaluation.IsFeasible).Select(static evaluation => evaluation.Objective)];
        Assert.That(found is null, Is.EqualTo(objectives.Length == 0));
        if (found is null)
            return;
        Assert.That(found.Assignment, Has.None.EqualTo(lost));
        Assert.That(found.Objective, Is.EqualTo(objectives.Min()));
        Assert.That(found.Assignment.Where((_, layer) => left[layer] >= 0), Is.EqualTo(left.Where(static device => device >= 0)));
    }

    [Test]
    public void Find_takes_no_device_that_a_constraint_forbids()
    {
        PartitionProblem problem = RandomProblems.Create(1, withConstraints: false);
        ImmutableArray<int> left = [.. Enumerable.Repeat(-1, problem.Graph.Layers.Length)];
        PartitionPlan? free = TakeOver.Find(new PlanEvaluator(problem), left);
        Assume.That(free, Is.Not.Null);
        string chosen = problem.Fleet.Devices[free!.Assignment[0]].Id;
        PartitionPlan? other = TakeOver.Find(new PlanEvaluator(problem with { Constraints = problem.Constraints with { Forbidden = [(0, chosen)] } }), left);
        Assert.That(other is null || problem.Fleet.Devices[other.Assignment[0]].Id != chosen);
    }

    [Test]
    public void Find_nothing_is_lost_any_more_keeps_the_assignment()
    {
        PartitionProblem problem = RandomProblems.Create(1, withConstraints: false);
        PartitionPlan plan = new LocalSearchPartitioner().Partition(problem, CancellationToken.None);
        Assert.That(TakeOver.Find(new PlanEvaluator(problem), plan.Assignment)?.Assignment, Is.EqualTo(plan.Assignment));
    }
}

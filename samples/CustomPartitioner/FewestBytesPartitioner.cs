using EdgeSplit;
using EdgeSplit.Partitioning;

namespace CustomPartitioner;

/// <summary>
/// Splits a model in two where the fewest bytes cross, for links that are dear; of devices it takes the pair that the cost model
/// likes best at that cut. Thread-safe; the same problem gives the same plan.
/// </summary>
/// <param name="leastShare">The share of the model's operations, up to one half, that each of the two parts has at least.</param>
internal sealed class FewestBytesPartitioner(double leastShare = 0.25) : IPartitioner
{
    public string Name => "fewest bytes";

    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        var evaluator = new PlanEvaluator(problem);
        int layers = problem.Graph.Layers.Length;
        int[] runners = [.. Enumerable.Range(0, problem.Fleet.Devices.Length).Where(device => problem.Fleet.Devices[device].RunsLayers)];
        IEnumerable<CutPoint> cuts = CutPoints.FindAll(problem.Graph).Where(cut => cut.FloatOperationsBefore >= leastShare && cut.FloatOperationsBefore <= 1 - leastShare);
        foreach (CutPoint cut in cuts.OrderBy(static cut => cut.ByteCount))
        {
            cancellationToken.ThrowIfCancellationRequested();
            (double Objective, int[] Assignment)? best = null;
            foreach (int first in runners)
            {
                foreach (int second in runners.Where(device => device != first))
                {
                    int[] assignment = [.. Enumerable.Range(0, layers).Select(layer => layer <= cut.AfterLayer ? first : second)];
                    PlanEvaluation evaluation = evaluator.Evaluate(assignment);
                    // A pair without the memory, say, is left out; perhaps another one has it, or another cut needs less.
                    if (evaluation.IsFeasible && !(evaluation.Objective >= best?.Objective))
                        best = (evaluation.Objective, assignment);
                }
            }
            if (best is { } found)
                return evaluator.Create(found.Assignment, Name);
        }
        throw new EdgeSplitException(
            EdgeSplitError.NoFeasiblePlan,
            $"No two of the {runners.Length} devices can share '{problem.Graph.Name}': either there are not two, or no cut between {leastShare:P0} and {1 - leastShare:P0} of the work satisfies the constraints.");
    }
}

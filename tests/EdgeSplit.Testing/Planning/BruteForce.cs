using EdgeSplit.Partitioning;

namespace EdgeSplit.Testing.Planning;

/// <summary>Tries every assignment with the public evaluator.</summary>
public static class BruteForce
{
    /// <summary>The lowest objective of any assignment that satisfies the constraints; null where there is none.</summary>
    public static double? LowestObjective(PartitionProblem problem)
    {
        var evaluator = new PlanEvaluator(problem);
        var assignment = new int[problem.Graph.Layers.Length];
        double? lowest = null;
        do
        {
            PlanEvaluation evaluation = evaluator.Evaluate(assignment);
            if (evaluation.IsFeasible && !(evaluation.Objective >= lowest))
                lowest = evaluation.Objective;
        }
        while (Next(assignment, problem.Fleet.Devices.Length));
        return lowest;
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
}

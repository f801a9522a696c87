using System.Collections.Immutable;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Finds who runs the layers of an agent that is lost: one other device takes all of them, so that nobody else has to load
/// anything. Far quicker than a search, and so for the time until one has ended.
/// </summary>
internal static class TakeOver
{
    private const int MostOthers = 16;
    private const string Name = "take-over";

    /// <summary>The cheapest such plan; null where none is feasible.</summary>
    /// <param name="evaluator">Judges plans for the problem.</param>
    /// <param name="assignment">The device of each layer, -1 where it is lost.</param>
    /// <param name="lost">A device that takes nothing; -1 where it is not in the fleet any more.</param>
    public static PartitionPlan? Find(PlanEvaluator evaluator, ImmutableArray<int> assignment, int lost = -1)
    {
        if (!assignment.Contains(-1))
            return evaluator.Evaluate(assignment.AsSpan()).IsFeasible ? evaluator.Create(assignment.AsSpan(), Name) : null;
        int[] tried = new int[assignment.Length];
        (int Device, double Objective) best = (-1, double.PositiveInfinity);
        foreach (int device in Candidates(evaluator.Problem.Fleet, assignment, lost))
        {
            PlanEvaluation evaluation = evaluator.Evaluate(Fill(assignment, device, tried));
            if (evaluation.IsFeasible && evaluation.Objective < best.Objective)
                best = (device, evaluation.Objective);
        }
        return best.Device < 0 ? null : evaluator.Create(Fill(assignment, best.Device, tried), Name);
    }

    /// <summary>Those that the plan uses, whose neighbours they may be, and the fastest of the others.</summary>
    private static IEnumerable<int> Candidates(Fleet fleet, ImmutableArray<int> assignment, int lost)
    {
        int[] used = [.. assignment.Where(device => device >= 0 && device != lost).Distinct().Order()];
        IEnumerable<int> others = Enumerable.Range(0, fleet.Devices.Length).Except(used)
            .Where(device => device != lost && fleet.Devices[device].RunsLayers)
            .OrderByDescending(device => fleet.Devices[device].FlopsPerSecond * (1 - fleet.Devices[device].CurrentLoad));
        return used.Concat(others.Take(MostOthers));
    }

    private static ReadOnlySpan<int> Fill(ImmutableArray<int> assignment, int device, int[] filled)
    {
        for (int layer = 0; layer < filled.Length; layer++)
            filled[layer] = assignment[layer] < 0 ? device : assignment[layer];
        return filled;
    }
}

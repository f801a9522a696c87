using System.Globalization;
using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>
/// Solves a <see cref="PlacementProgram"/>; where the evaluator finds what it gave infeasible or dearer than the program says, rules that out
/// and solves again.
/// </summary>
internal sealed class CpSatSearch(SearchState state, Incumbent incumbent, CpSatPartitionerOptions options)
{
    /// <summary>What rounding to ticks may hide.</summary>
    private const double Rounding = 1e-6;

    private const double SlowestMachine = 4;

    /// <returns>What no plan's objective can be below.</returns>
    public double Run(double bound, CancellationToken cancellationToken)
    {
        long start = TimeProvider.System.GetTimestamp();
        double spent = 0;
        var program = new PlacementProgram(state, incumbent);
        while (true)
        {
            double left = options.TimeLimit.TotalSeconds - spent;
            double leftByClock = (SlowestMachine * options.TimeLimit.TotalSeconds) - TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            if (left <= 0 || leftByClock <= 0 || cancellationToken.IsCancellationRequested || IsProven(bound))
                return bound;
            program.Hint(incumbent.Assignment);
            var solver = new CpSolver { StringParameters = Parameters(left, leftByClock) };
            CpSolverStatus status;
            using (var offers = new Offers(this, program))
            using (cancellationToken.Register(offers.StopSearch))
                status = solver.Solve(program.Model, offers);
            spent += Math.Max(solver.Response!.DeterministicTime, 1e-4);
            if (status is CpSolverStatus.Infeasible)
                return incumbent.Objective;
            if (status is not (CpSolverStatus.Optimal or CpSolverStatus.Feasible))
                return status is CpSolverStatus.ModelInvalid ? throw new InvalidOperationException($"CP-SAT refused the model: {program.Model.Validate()}") : bound;
            bound = Math.Max(bound, program.Bound(solver.BestObjectiveBound));
            int[] found = program.AssignmentOf(solver.BooleanValue);
            bool isFeasible = Offer(found);
            // With an accepted gap a plan may be called optimal that is not: that is good enough.
            if (status != CpSolverStatus.Optimal || (isFeasible && program.IsExact))
                return bound;
            if (isFeasible)
                program.Forbid(found);
            else
                program.ForbidOverfull(found);
        }
    }

    private bool IsProven(double bound) => incumbent.Exists && incumbent.Objective <= bound * (1 + Math.Max(options.AcceptedGap, Rounding));

    private string Parameters(double seconds, double secondsByClock) => string.Create(CultureInfo.InvariantCulture,
        $"num_workers:{options.Workers},interleave_search:{(options.Workers > 1 ? "true" : "false")},random_seed:{state.Model.Problem.Seed & int.MaxValue},max_deterministic_time:{seconds:F4},max_time_in_seconds:{secondsByClock:F3},relative_gap_limit:{options.AcceptedGap:F9}");

    private bool Offer(int[] assignment)
    {
        state.Loads.Reset(assignment);
        if (!state.IsFeasible())
            return false;
        incumbent.OfferBetter(state);
        return true;
    }

    /// <summary>Takes every plan on the way: the solver calls it from one thread at a time.</summary>
    private sealed class Offers(CpSatSearch search, PlacementProgram program) : CpSolverSolutionCallback
    {
        public override void OnSolutionCallback() => search.Offer(program.AssignmentOf(literal => BooleanValue(literal)));
    }
}

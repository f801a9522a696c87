using EdgeSplit.OrTools.Internal;
using EdgeSplit.Partitioning;
using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.OrTools;

/// <summary>
/// Improves and proves plans with CP-SAT, the constraint solver of Google OR-Tools (Perron, Furnon, "OR-Tools"), from the best plan that
/// <see cref="AutoPartitioner"/> finds.
/// </summary>
/// <remarks>
/// <para>The bottleneck is modelled as the evaluator defines it. Of the latency the solver sees paths, delivery times and that a device does one
/// thing at a time, not the queues of links; so with latency in the objective its bound is valid, and plans are compared by the evaluator. Memory
/// is modelled by weights and the largest layer; a plan whose activations do not fit is ruled out when it turns up.</para>
/// <para>Times are rounded down to ten-millionths of the first plan's, so that the bound stays valid.</para>
/// <para>Deterministic: the same problem and options give the same plan, unless the clock or a cancellation ended the search. Cancelled, it returns
/// the best plan so far with what was proven.</para>
/// </remarks>
public sealed class CpSatPartitioner : IPartitioner
{
    private readonly CpSatPartitionerOptions _options;

    /// <summary>Creates the partitioner.</summary>
    /// <param name="options">How to search; defaults where null.</param>
    public CpSatPartitioner(CpSatPartitionerOptions? options = null) => _options = options ?? new CpSatPartitionerOptions();

    /// <inheritdoc/>
    public string Name => "cp-sat";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        cancellationToken.ThrowIfCancellationRequested();
        var model = new PlacementModel(problem);
        var units = new PlacementUnits(model);
        var state = new SearchState(model, units);
        var incumbent = new Incumbent();
        double bound = 0;
        EdgeSplitException? noPlan = null;
        try
        {
            // Copies of stages come last: neither the program nor its bound knows of them.
            PartitionPlan start = new AutoPartitioner(_options.WarmStart).Partition(problem with { Constraints = problem.Constraints with { MaximumReplicas = 1 } }, cancellationToken);
            state.Loads.Reset(start.Assignment.AsSpan());
            incumbent.OfferBetter(state);
            bound = start.LowerBound ?? 0;
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.NoFeasiblePlan)
        {
            // The search for a first plan is not exhaustive; this one is.
            noPlan = exception;
        }
        if (PlacementProgram.IsAffordable(model, units))
            bound = Math.Max(bound, new CpSatSearch(state, incumbent, _options).Run(bound, cancellationToken));
        if (!incumbent.Exists)
            throw noPlan!;
        var budget = new WorkBudget(_options.WarmStart.TimeBudget, TimeProvider.System, cancellationToken);
        return Replicated.Create(model, incumbent.Assignment, Name, Math.Min(bound, incumbent.Objective), budget);
    }
}

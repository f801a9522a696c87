using EdgeSplit.Partitioning.Internal;

namespace EdgeSplit.Partitioning;

/// <summary>
/// The default partitioner: tries single devices, contiguous splits of several orders, cuts and local search, improves the
/// best by annealing, proves small problems exactly, and says how far from the best possible its plan can be. Where
/// <see cref="PlanConstraints.MaximumReplicas"/> allows it, the stages that limit the throughput get copies on further devices.
/// </summary>
/// <remarks>
/// Deterministic: the same problem and options give the same plan (see <see cref="AutoPartitionerOptions.TimeBudget"/>).
/// Cancelled, it returns the best plan so far.
/// </remarks>
public sealed class AutoPartitioner : IPartitioner
{
    private readonly AutoPartitionerOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Creates the partitioner.</summary>
    /// <param name="options">How long to search; defaults where null.</param>
    /// <param name="time">The clock; the system's where null.</param>
    public AutoPartitioner(AutoPartitionerOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new AutoPartitionerOptions();
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public string Name => "auto";

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var budget = new WorkBudget(_options.TimeBudget, _time, cancellationToken);
        var model = new PlacementModel(problem);
        var portfolio = new Portfolio(model, StageReplication.IsWorthwhile(model) ? budget.Part(1 - Replicated.BudgetShare) : budget, _options.AcceptedGap);
        portfolio.Run();
        return Replicated.Create(model, portfolio.Best, Name, portfolio.LowerBound, budget);
    }
}

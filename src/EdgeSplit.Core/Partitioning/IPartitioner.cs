namespace EdgeSplit.Partitioning;

/// <summary>Decides which device runs which layer.</summary>
/// <remarks>
/// Implementations are thread-safe and deterministic: the same problem (its seed included) gives the same plan.
/// On cancellation they return the best plan found so far, or throw <see cref="OperationCanceledException"/> where there is none.
/// </remarks>
public interface IPartitioner
{
    /// <summary>A name to show.</summary>
    string Name { get; }

    /// <summary>Solves a problem.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: no assignment satisfies the constraints; the message names the one that fails.</exception>
    PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken);
}

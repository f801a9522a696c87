using EdgeSplit.Partitioning;

namespace EdgeSplit.Simulation;

/// <summary>A plan that served from some moment on.</summary>
/// <param name="At">When the first request could run on it, from when requests start to come.</param>
/// <param name="Epoch">Its number.</param>
/// <param name="Plan">The plan.</param>
public sealed record SimulatedPlan(TimeSpan At, long Epoch, PartitionPlan Plan);

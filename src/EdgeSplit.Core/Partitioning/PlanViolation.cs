namespace EdgeSplit.Partitioning;

/// <summary>A constraint that a plan breaks.</summary>
/// <param name="Kind">Which constraint.</param>
/// <param name="Message">What is wrong, with the layers and devices concerned.</param>
public sealed record PlanViolation(PlanViolationKind Kind, string Message);

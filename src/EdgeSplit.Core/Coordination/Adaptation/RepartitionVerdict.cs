namespace EdgeSplit.Coordination.Adaptation;

/// <summary>What a policy says.</summary>
/// <param name="Switch">Whether to take the plan.</param>
/// <param name="Reason">Why, as a sentence with the figures that decided.</param>
/// <param name="AskAgainAfter">When to think of it again if nothing changes, or null for not at all.</param>
public sealed record RepartitionVerdict(bool Switch, string Reason, TimeSpan? AskAgainAfter = null);

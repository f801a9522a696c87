namespace EdgeSplit.Coordination;

/// <summary>How long one stage of a request took.</summary>
/// <param name="Stage">The stage's position in the plan.</param>
/// <param name="AgentId">The agent that ran it.</param>
/// <param name="Started">The time from the request's start until its inputs were sent to the agent.</param>
/// <param name="Total">The time from then until the outputs were back.</param>
/// <param name="Compute">The time that the runtime took.</param>
/// <param name="Queue">The time that the request waited on the agent.</param>
public sealed record StageTiming(int Stage, string AgentId, TimeSpan Started, TimeSpan Total, TimeSpan Compute, TimeSpan Queue)
{
    /// <summary>What is left: moving tensors to and from the agent.</summary>
    public TimeSpan Transfer => Total - Compute - Queue;
}

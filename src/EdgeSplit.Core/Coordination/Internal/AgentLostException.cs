namespace EdgeSplit.Coordination.Internal;

/// <summary>An agent could not be reached while a plan was made ready.</summary>
internal sealed class AgentLostException(AgentEntry agent, Exception cause) : Exception(cause.Message, cause)
{
    public AgentEntry Agent => agent;

    /// <summary>What the caller is told.</summary>
    public EdgeSplitException Describe(string modelName) => new(
        EdgeSplitError.AgentUnavailable, $"Agent '{agent.Id}' was lost while model '{modelName}' was loaded on it: {InnerException!.Message}", InnerException);
}

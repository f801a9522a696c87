namespace EdgeSplit.Coordination.Internal;

/// <summary>Carries a stage's failure to the deployment, which tries again or tells the caller.</summary>
internal sealed class StageFailedException(int stage, AgentEntry agent, Exception cause) : Exception(cause.Message, cause)
{
    public AgentEntry Agent => agent;

    /// <summary>Whether the agent cannot be reached.</summary>
    public bool AgentIsLost => InnerException is EdgeSplitException { Error: EdgeSplitError.AgentUnavailable } or ObjectDisposedException;

    /// <summary>Whether the agent answers but no longer has the partition: it was started anew.</summary>
    public bool PartitionIsLost => InnerException is EdgeSplitException { Error: EdgeSplitError.NotFound };

    /// <summary>The stage.</summary>
    public int Stage => stage;

    /// <summary>Whether the agent ran the stage but could not hand an output to another agent.</summary>
    public bool PeerIsUnreachable => InnerException is EdgeSplitException { Error: EdgeSplitError.PeerUnavailable };

    /// <summary>What the caller is told.</summary>
    public EdgeSplitException Describe(string modelName)
    {
        EdgeSplitError error = InnerException switch
        {
            EdgeSplitException exception => exception.Error,
            ObjectDisposedException => EdgeSplitError.AgentUnavailable,
            OperationCanceledException => EdgeSplitError.ExecutionFailed,
            _ => EdgeSplitError.Internal,
        };
        return new EdgeSplitException(error, $"Model '{modelName}', stage {stage} on agent '{agent.Id}': {InnerException!.Message}", InnerException);
    }
}

namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentListener"/> listens for agents.</summary>
public sealed record AgentListenerOptions : ListenOptions
{
    /// <inheritdoc cref="RemoteEdgeAgentOptions.RequestTimeout"/>
    public TimeSpan RequestTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    internal override void Validate()
    {
        base.Validate();
        RemoteEdgeAgentOptions.CheckRequestTimeout(RequestTimeout);
    }
}

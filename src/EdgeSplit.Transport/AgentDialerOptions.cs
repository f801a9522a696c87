using EdgeSplit.Agents;

namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentDialer"/> connects.</summary>
public sealed record AgentDialerOptions : ConnectOptions
{
    /// <summary>Told of every connection that is made, lost or refused; null for nobody. Called on the thread pool.</summary>
    public IProgress<DialProgress>? Progress { get; init; }
}

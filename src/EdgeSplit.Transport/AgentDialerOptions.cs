using EdgeSplit.Agents;

namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentDialer"/> connects.</summary>
public sealed record AgentDialerOptions : ConnectOptions
{
    /// <summary>
    /// Where other agents can connect to this one, as <c>HOST:PORT</c>, or <c>*:PORT</c> for the address at which the coordinator sees it;
    /// an <see cref="AgentServer"/> of the same agent listens there (<see cref="AgentServer.PeerAddress"/>).
    /// </summary>
    /// <value>Default: null, for an agent that nobody connects to: what others send it goes through the coordinator.</value>
    public string? PeerAddress { get; init; }

    /// <summary>Told of every connection that is made, lost or refused; null for nobody. Called on the thread pool.</summary>
    public IProgress<DialProgress>? Progress { get; init; }

    internal override void Validate()
    {
        base.Validate();
        if (PeerAddress is not null)
            HostAndPort.Parse(PeerAddress);
    }
}

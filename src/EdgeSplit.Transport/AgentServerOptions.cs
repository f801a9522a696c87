namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentServer"/> listens for coordinators and other agents.</summary>
public sealed record AgentServerOptions : ListenOptions
{
    /// <summary>
    /// Where other agents can connect, as <c>HOST:PORT</c>, or <c>*:PORT</c> for the address at which the coordinator sees this agent.
    /// </summary>
    /// <value>Default: null, for the address that the coordinator has connected to.</value>
    public string? PeerAddress { get; init; }

    internal override void Validate()
    {
        base.Validate();
        if (PeerAddress is not null)
            HostAndPort.Parse(PeerAddress);
    }
}

namespace EdgeSplit.Transport;

/// <summary>How an <see cref="AgentServer"/> listens for coordinators.</summary>
public sealed record AgentServerOptions : ListenOptions;

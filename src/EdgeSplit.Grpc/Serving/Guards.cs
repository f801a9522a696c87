namespace EdgeSplit.Grpc.Serving;

/// <summary>Guards the agent's service.</summary>
internal sealed record AgentGuard(CallGuard Guard);

/// <summary>Guards the way by which agents join.</summary>
internal sealed record TunnelGuard(CallGuard Guard, bool IsOpen);

/// <summary>Guards the coordinator's services.</summary>
internal sealed record CoordinatorGuard(CallGuard Guard);

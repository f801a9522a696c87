namespace EdgeSplit.Coordination.Membership;

/// <summary>What a coordinator may use an agent for.</summary>
public enum AgentState
{
    /// <summary>Plans may use it.</summary>
    Available,

    /// <summary>It does not answer. It is available again when it is added anew.</summary>
    Lost,

    /// <summary>It was lost too often of late; plans may use it when its time is over.</summary>
    Quarantined,

    /// <summary>Someone asked that plans leave it out.</summary>
    Draining,
}

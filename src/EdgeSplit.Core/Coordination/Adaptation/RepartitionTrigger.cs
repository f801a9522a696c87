namespace EdgeSplit.Coordination.Adaptation;

/// <summary>What made a coordinator think of another plan.</summary>
public enum RepartitionTrigger
{
    /// <summary>Someone asked for it.</summary>
    Asked,

    /// <summary>An agent came, or may be used again.</summary>
    AgentCame,

    /// <summary>An agent was lost, or plans must leave it out.</summary>
    AgentWent,

    /// <summary>A stage takes longer, or less long, than before.</summary>
    StageTime,

    /// <summary>Tensors take longer, or less long, to and from an agent.</summary>
    LinkTime,

    /// <summary>Other programs take more, or less, of a device.</summary>
    OtherLoad,

    /// <summary>An agent has less memory left than shall be, or enough again.</summary>
    Memory,
}

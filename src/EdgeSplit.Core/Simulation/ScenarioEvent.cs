namespace EdgeSplit.Simulation;

/// <summary>What happens to an agent of a scenario.</summary>
public enum ScenarioEvent
{
    /// <summary>Its agent starts and joins the coordinator; also after it has left, crashed or fallen silent.</summary>
    Join,

    /// <summary>It is taken out in good order.</summary>
    Leave,

    /// <summary>Its process dies: connections break.</summary>
    Crash,

    /// <summary>It stops answering, as a machine without power or network: connections stay open.</summary>
    FallSilent,

    /// <summary>One that has fallen silent answers again.</summary>
    Speak,
}

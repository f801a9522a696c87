namespace EdgeSplit.Coordination.Adaptation;

/// <summary>How far a plan for the loss of an agent is prepared.</summary>
public enum StandbyReadiness
{
    /// <summary>It is known which agent takes over.</summary>
    Planned,

    /// <summary>That agent has the weights, on its disk.</summary>
    Fetched,

    /// <summary>That agent has the partition loaded, so that only the way of requests has to change.</summary>
    Loaded,
}

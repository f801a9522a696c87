namespace EdgeSplit.Hosting;

/// <summary>How far a model of an application is.</summary>
public enum ModelState
{
    /// <summary>It waits for agents that can run it.</summary>
    Waiting,

    /// <summary>It is planned and loaded.</summary>
    Deploying,

    /// <summary>It answers requests.</summary>
    Served,

    /// <summary>It cannot be served, however long one waits.</summary>
    Failed,
}

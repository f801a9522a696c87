namespace EdgeSplit.Coordination;

/// <summary>What a deployment is doing.</summary>
public enum DeploymentStep
{
    /// <summary>Opening the model.</summary>
    Opening,

    /// <summary>Storing the base model in the repository.</summary>
    Storing,

    /// <summary>Deciding which device runs which layer.</summary>
    Planning,

    /// <summary>Taking the stages' partitions from the model, and loading them on the agents.</summary>
    Loading,

    /// <summary>Done: requests run on the new plan.</summary>
    Ready,
}

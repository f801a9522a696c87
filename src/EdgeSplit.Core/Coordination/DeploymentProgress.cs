namespace EdgeSplit.Coordination;

/// <summary>How far a deployment is.</summary>
/// <param name="Step">What it is doing.</param>
/// <param name="LoadedStages">Stages that are ready on their agents.</param>
/// <param name="StageCount">All stages; 0 before there is a plan.</param>
/// <param name="SentBytes">Bytes of weights that agents lacked and fetched.</param>
public sealed record DeploymentProgress(DeploymentStep Step, int LoadedStages = 0, int StageCount = 0, long SentBytes = 0);

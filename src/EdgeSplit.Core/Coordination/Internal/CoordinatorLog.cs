using Microsoft.Extensions.Logging;

namespace EdgeSplit.Coordination.Internal;

/// <summary>What a coordinator logs; the event ids 2000 to 2099 are its.</summary>
internal static partial class CoordinatorLog
{
    [LoggerMessage(2000, LogLevel.Information, "Agent {AgentId} was added: {Runtime} on {Platform}, link {Latency} and {BytesPerSecond:G3} B/s.")]
    public static partial void AgentAdded(this ILogger logger, string agentId, string runtime, string platform, TimeSpan latency, double bytesPerSecond);

    [LoggerMessage(2001, LogLevel.Information, "Agent {AgentId} was removed.")]
    public static partial void AgentRemoved(this ILogger logger, string agentId);

    [LoggerMessage(2002, LogLevel.Warning, "Agent {AgentId} is lost; plans leave it out from now on.")]
    public static partial void AgentLost(this ILogger logger, Exception exception, string agentId);

    [LoggerMessage(2003, LogLevel.Information, "Model {ModelName}: {Partitioner} planned {StageCount} stages, {LatencySeconds:G3} s latency and {BottleneckSeconds:G3} s bottleneck predicted.")]
    public static partial void Planned(this ILogger logger, string modelName, string partitioner, int stageCount, double latencySeconds, double bottleneckSeconds);

    [LoggerMessage(2004, LogLevel.Information, "Model {ModelName}: epoch {Epoch} is loaded on its agents; {SentBytes} bytes of weights were sent.")]
    public static partial void EpochLoaded(this ILogger logger, string modelName, long epoch, long sentBytes);

    [LoggerMessage(2005, LogLevel.Information, "Model {ModelName}: epoch {Epoch} is drained and unloaded.")]
    public static partial void EpochUnloaded(this ILogger logger, string modelName, long epoch);

    [LoggerMessage(2006, LogLevel.Warning, "Partition {PartitionId} could not be unloaded from agent {AgentId}.")]
    public static partial void UnloadFailed(this ILogger logger, Exception exception, string partitionId, string agentId);

    [LoggerMessage(2007, LogLevel.Warning, "Model {ModelName}: a request of epoch {Epoch} lost agent {AgentId} and runs again.")]
    public static partial void RequestRetried(this ILogger logger, string modelName, long epoch, string agentId);

    [LoggerMessage(2008, LogLevel.Warning, "Agent {AgentId} is quarantined: {Reason}.")]
    public static partial void AgentQuarantined(this ILogger logger, string agentId, string reason);

    [LoggerMessage(2009, LogLevel.Information, "Agent {AgentId} is drained; plans leave it out until it is resumed.")]
    public static partial void AgentDrained(this ILogger logger, string agentId);

    [LoggerMessage(2010, LogLevel.Warning, "Disposing of agent {AgentId} failed.")]
    public static partial void DisposeFailed(this ILogger logger, Exception exception, string agentId);

    [LoggerMessage(2011, LogLevel.Warning, "Model {ModelName}: the agents cannot run it any more; requests wait for others to come: {Reason}")]
    public static partial void WaitingForCapacity(this ILogger logger, string modelName, string reason);

    [LoggerMessage(2012, LogLevel.Warning, "Model {ModelName}: moving away from lost agent {AgentId} failed; the next request tries again.")]
    public static partial void RecoveryFailed(this ILogger logger, Exception exception, string modelName, string agentId);

    [LoggerMessage(2013, LogLevel.Information, "Model {ModelName} runs on plan {Epoch}. {Cause} {Reason}")]
    public static partial void Repartitioned(this ILogger logger, string modelName, long epoch, string cause, string reason);

    [LoggerMessage(2014, LogLevel.Information, "Model {ModelName} stays on plan {Epoch}. {Cause} {Reason}")]
    public static partial void PlanKept(this ILogger logger, string modelName, long epoch, string cause, string reason);

    [LoggerMessage(2015, LogLevel.Error, "A handler that was told of a new {What} failed. Let it catch what it throws.")]
    public static partial void HandlerFailed(this ILogger logger, Exception exception, string what);

    [LoggerMessage(2016, LogLevel.Error, "Model {ModelName}: looking for another plan failed.")]
    public static partial void SearchFailed(this ILogger logger, Exception exception, string modelName);

    [LoggerMessage(2017, LogLevel.Warning, "Model {ModelName}: the repository could not take down on which agents it runs; after a restart it would be planned anew.")]
    public static partial void DeploymentNotKept(this ILogger logger, Exception exception, string modelName);

    [LoggerMessage(2018, LogLevel.Information, "Agent {AgentId} does not reach agent {PeerId} directly; the coordinator passes their tensors on. {Reason}")]
    public static partial void PeerNotReached(this ILogger logger, string agentId, string peerId, string reason);

    [LoggerMessage(2040, LogLevel.Information, "Model {ModelName}: requests are joined, up to {MaxBatch} rows: joined ones were found to give the same results.")]
    public static partial void BatchingChecked(this ILogger logger, string modelName, int maxBatch);

    [LoggerMessage(2041, LogLevel.Warning, "Model {ModelName}: requests are not joined any more: {Reason}.")]
    public static partial void BatchingRefused(this ILogger logger, string modelName, string reason);

    [LoggerMessage(2042, LogLevel.Information, "Model {ModelName}: requests are not joined: {Reason}.")]
    public static partial void NotBatched(this ILogger logger, string modelName, string reason);

    [LoggerMessage(2019, LogLevel.Debug, "Model {ModelName}: for the agents of plan {Epoch}, {Loaded} of {Count} take-overs stand by loaded.")]
    public static partial void StandbyReady(this ILogger logger, string modelName, long epoch, int loaded, int count);

    [LoggerMessage(2020, LogLevel.Information, "Model {ModelName}: what was to stand by for the agents of plan {Epoch} could not all be made ready; losing one takes longer to recover from.")]
    public static partial void StandbyFailed(this ILogger logger, Exception exception, string modelName, long epoch);

    [LoggerMessage(2021, LogLevel.Warning, "Model {ModelName}: the plan that was to take over for agent {AgentId} failed; another is looked for.")]
    public static partial void TakeOverFailed(this ILogger logger, Exception exception, string modelName, string agentId);

    [LoggerMessage(2022, LogLevel.Warning, "Model {ModelName}: {Requests} requests had not ended {Seconds} s after its deployment was disposed of, and are ended.")]
    public static partial void DrainTimedOut(this ILogger logger, string modelName, int requests, double seconds);

    [LoggerMessage(2023, LogLevel.Information, "Model {ModelName}: whether agent {AgentId}, which had become slow, is fast again could not be found out; it is tried again later.")]
    public static partial void RecoveryCheckFailed(this ILogger logger, Exception exception, string modelName, string agentId);
}

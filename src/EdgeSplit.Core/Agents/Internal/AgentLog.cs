using Microsoft.Extensions.Logging;

namespace EdgeSplit.Agents.Internal;

/// <summary>What an agent logs; the event ids 1000 to 1099 are its.</summary>
internal static partial class AgentLog
{
    [LoggerMessage(1000, LogLevel.Information, "Agent {AgentId}: loaded partition {PartitionId} of {ModelName} in {LoadTime}; {ReceivedBytes} bytes of weights received.")]
    public static partial void PartitionLoaded(this ILogger logger, string agentId, string partitionId, string modelName, TimeSpan loadTime, long receivedBytes);

    [LoggerMessage(1001, LogLevel.Error, "Agent {AgentId}: loading partition {PartitionId} of {ModelName} failed.")]
    public static partial void PartitionLoadFailed(this ILogger logger, Exception exception, string agentId, string partitionId, string modelName);

    [LoggerMessage(1002, LogLevel.Information, "Agent {AgentId}: unloaded partition {PartitionId}.")]
    public static partial void PartitionUnloaded(this ILogger logger, string agentId, string partitionId);

    [LoggerMessage(1003, LogLevel.Information, "Agent {AgentId}: measured {FlopsPerSecond:G3} FLOP/s and {MemoryBytesPerSecond:G3} B/s of memory.")]
    public static partial void Calibrated(this ILogger logger, string agentId, double flopsPerSecond, double memoryBytesPerSecond);
}

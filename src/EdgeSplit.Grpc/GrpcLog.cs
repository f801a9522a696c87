using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc;

/// <summary>The log messages of the gRPC services.</summary>
internal static partial class GrpcLog
{
    [LoggerMessage(3001, LogLevel.Information, "Agent '{AgentId}' serves a coordinator at {Peer}")]
    public static partial void SessionOpened(ILogger logger, string agentId, string peer);

    [LoggerMessage(3002, LogLevel.Information, "Agent '{AgentId}' no longer serves the coordinator at {Peer}")]
    public static partial void SessionEnded(ILogger logger, string agentId, string peer);

    [LoggerMessage(3003, LogLevel.Warning, "Partition {PartitionId} of a session that ended could not be unloaded")]
    public static partial void UnloadFailed(ILogger logger, string partitionId, Exception exception);

    [LoggerMessage(3004, LogLevel.Error, "{Method} failed unexpectedly")]
    public static partial void CallFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(3005, LogLevel.Warning, "A call of {Method} from {Peer} was refused: {Reason}")]
    public static partial void CallRefused(ILogger logger, string method, string peer, string reason);

    [LoggerMessage(3006, LogLevel.Information, "Agent '{AgentId}' at {Address} is gone: {Reason}")]
    public static partial void AgentLost(ILogger logger, string agentId, string address, string reason);

    [LoggerMessage(3007, LogLevel.Information, "Agent '{AgentId}' listens for gRPC on {EndPoint}")]
    public static partial void Listening(ILogger logger, string agentId, string endPoint);

    [LoggerMessage(3008, LogLevel.Warning, "No session with {Address}: {Reason} Trying again in {Delay}")]
    public static partial void Retrying(ILogger logger, string address, string reason, TimeSpan delay);

    [LoggerMessage(3009, LogLevel.Information, "Agent '{AgentId}' has joined from {Address}")]
    public static partial void AgentJoined(ILogger logger, string agentId, string address);

    [LoggerMessage(3010, LogLevel.Information, "Agent '{AgentId}' has joined the coordinator at {Address}")]
    public static partial void Joined(ILogger logger, string agentId, string address);
}

using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Messages;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

internal static partial class TransportLog
{
    [LoggerMessage(2001, LogLevel.Information, "{Role} listens on {EndPoint}")]
    public static partial void Listening(ILogger logger, PeerRole role, string endPoint);

    [LoggerMessage(2002, LogLevel.Information, "Connection from {Peer} accepted")]
    public static partial void Accepted(ILogger logger, string peer);

    [LoggerMessage(2003, LogLevel.Information, "Connection from {Peer} ended: {Reason}")]
    public static partial void Ended(ILogger logger, string peer, string reason);

    [LoggerMessage(2004, LogLevel.Warning, "Connection from {Peer} refused: {Reason}")]
    public static partial void Refused(ILogger logger, string peer, string reason);

    [LoggerMessage(2005, LogLevel.Error, "{Operation} failed in a way that no error code describes")]
    public static partial void UnexpectedFailure(ILogger logger, Operation operation, Exception exception);

    [LoggerMessage(2006, LogLevel.Error, "Accepting connections on {EndPoint} failed; trying again")]
    public static partial void AcceptFailed(ILogger logger, string endPoint, Exception exception);

    [LoggerMessage(2007, LogLevel.Warning, "Unloading partition {PartitionId} after the end of a connection failed")]
    public static partial void UnloadFailed(ILogger logger, string partitionId, Exception exception);

    [LoggerMessage(2008, LogLevel.Error, "Serving a connection from {Peer} failed in a way that should not happen")]
    public static partial void SessionFailed(ILogger logger, System.Net.EndPoint? peer, Exception exception);

    [LoggerMessage(2009, LogLevel.Information, "Agent {AgentId} has joined the coordinator at {EndPoint}")]
    public static partial void Joined(ILogger logger, string agentId, string endPoint);

    [LoggerMessage(2010, LogLevel.Warning, "No connection to {EndPoint}: {Reason} Trying again in {Delay}")]
    public static partial void Retrying(ILogger logger, string endPoint, string reason, TimeSpan delay);

    [LoggerMessage(2011, LogLevel.Information, "Agent {AgentId} has joined from {Peer}")]
    public static partial void AgentJoined(ILogger logger, string agentId, string peer);
}

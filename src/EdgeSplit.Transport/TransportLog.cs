using EdgeSplit.Transport.Messages;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

internal static partial class TransportLog
{
    [LoggerMessage(2001, LogLevel.Information, "Agent {AgentId} listens on {EndPoint}")]
    public static partial void Listening(ILogger logger, string agentId, string endPoint);

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
}

using Microsoft.Extensions.Logging;

namespace EdgeSplit.Hosting;

/// <summary>What the hosted services log; the event ids 4000 to 4099 are theirs.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(4000, LogLevel.Information, "Agent '{AgentId}' no longer serves coordinators.")]
    public static partial void AgentStopped(ILogger logger, string agentId);

    [LoggerMessage(4001, LogLevel.Critical, "Agent '{AgentId}' was turned away by the coordinator at {Coordinator}; the application stops.")]
    public static partial void JoinRefused(ILogger logger, string agentId, string coordinator, Exception exception);

    [LoggerMessage(4002, LogLevel.Information, "Coordinator '{CoordinatorId}' listens on {EndPoint} for agents that join.")]
    public static partial void Listening(ILogger logger, string coordinatorId, string endPoint);

    [LoggerMessage(4003, LogLevel.Error, "The agent at {Address} cannot be used; trying again in {Delay}.")]
    public static partial void AgentRefused(ILogger logger, string address, TimeSpan delay, Exception exception);

    [LoggerMessage(4004, LogLevel.Warning, "Agent '{AgentId}' was not taken: {Reason}")]
    public static partial void AgentNotTaken(ILogger logger, string agentId, string reason);

    [LoggerMessage(4005, LogLevel.Information, "Model '{Model}' is served on plan {Epoch}, {StageCount} stages.")]
    public static partial void ModelServed(ILogger logger, string model, long epoch, int stageCount);

    [LoggerMessage(4006, LogLevel.Warning, "Model '{Model}' waits: {Reason}")]
    public static partial void ModelWaits(ILogger logger, string model, string reason);

    [LoggerMessage(4007, LogLevel.Error, "Model '{Model}' cannot be served: {Reason}")]
    public static partial void ModelFailed(ILogger logger, string model, string reason, Exception? exception);

    [LoggerMessage(4008, LogLevel.Information, "The coordinator waits for {InFlight} requests under way, then stops.")]
    public static partial void Draining(ILogger logger, int inFlight);

    [LoggerMessage(4009, LogLevel.Warning, "The coordinator stopped before all requests had ended: the host's shutdown timeout has passed.")]
    public static partial void DrainCutShort(ILogger logger);

    [LoggerMessage(4010, LogLevel.Information, "Someone asked on the dashboard: {Action} {Target}.")]
    public static partial void Asked(ILogger logger, string action, string target);

    [LoggerMessage(4011, LogLevel.Information, "Model '{Model}' was deployed when the coordinator ended; it is deployed again.")]
    public static partial void ModelRestores(ILogger logger, string model);

    [LoggerMessage(4012, LogLevel.Error, "Not everything that was deployed when the coordinator ended can be deployed again.")]
    public static partial void NotRestored(ILogger logger, Exception exception);
}

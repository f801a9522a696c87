using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EdgeSplit.Coordination;

/// <summary>Names under which EdgeSplit publishes traces and metrics.</summary>
public static class EdgeSplitTelemetry
{
    /// <summary>The name of the <see cref="System.Diagnostics.ActivitySource"/> and of the <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string SourceName = "EdgeSplit";

    internal static ActivitySource Source { get; } = new(SourceName);

    internal static Meter Meter { get; } = new(SourceName);

    internal static Histogram<double> RequestDuration { get; } = Meter.CreateHistogram<double>(
        "edgesplit.request.duration", "s", "Time from a request's call to its result or failure.");

    internal static Histogram<double> StageDuration { get; } = Meter.CreateHistogram<double>(
        "edgesplit.stage.duration", "s", "Time from sending a stage's inputs to its agent until the outputs are back.");

    internal static UpDownCounter<int> RequestsInFlight { get; } = Meter.CreateUpDownCounter<int>(
        "edgesplit.requests.in_flight", "{request}", "Requests that are worked on.");

    internal static UpDownCounter<int> RequestsQueued { get; } = Meter.CreateUpDownCounter<int>(
        "edgesplit.requests.queued", "{request}", "Requests that wait for their turn.");

    internal static Histogram<int> BatchSize { get; } = Meter.CreateHistogram<int>(
        "edgesplit.batch.size", "{request}", "Requests that were joined and run as one.");

    internal static Histogram<double> BatchDelay { get; } = Meter.CreateHistogram<double>(
        "edgesplit.batch.delay", "s", "Time that a request waited to be joined with others, and then for their turn.");

    internal static Counter<long> StageBytes { get; } = Meter.CreateCounter<long>(
        "edgesplit.stage.io", "By", "Bytes of tensors that agents were sent and answered with, before compression.");

    internal static Histogram<double> ExecutionDuration { get; } = Meter.CreateHistogram<double>(
        "edgesplit.agent.execution.duration", "s", "Time that an agent's runtime took for a stage.");

    internal static Histogram<double> ExecutionQueueDuration { get; } = Meter.CreateHistogram<double>(
        "edgesplit.agent.queue.duration", "s", "Time that a stage waited on its agent.");

    internal static Counter<int> RequestRetries { get; } = Meter.CreateCounter<int>(
        "edgesplit.request.retries", "{request}", "Requests that were run again because an agent was lost.");

    internal static Counter<int> PlanSwitches { get; } = Meter.CreateCounter<int>(
        "edgesplit.plan.switches", "{switch}", "Switches of a deployment to another plan.");

    /// <summary>The tag of bytes that go to an agent.</summary>
    internal static KeyValuePair<string, object?> Transmitted { get; } = new("network.io.direction", "transmit");

    /// <summary>The tag of bytes that come from an agent.</summary>
    internal static KeyValuePair<string, object?> Received { get; } = new("network.io.direction", "receive");
}

using System.Diagnostics;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport;

/// <summary>Traces of what an agent is asked over the wire, joined to the caller's trace.</summary>
internal static class TransportTelemetry
{
    private static readonly ActivitySource Source = new("EdgeSplit");

    public static Activity? StartServing(MessageHead head)
    {
        if (!Source.HasListeners())
            return null;
        ActivityContext.TryParse(head.TraceParent, head.TraceState, isRemote: true, out ActivityContext parent);
        return Source.StartActivity($"edgesplit.agent/{head.Payload.Operation}", ActivityKind.Server, parent);
    }
}

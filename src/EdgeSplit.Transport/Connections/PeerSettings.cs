using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport.Connections;

/// <summary>What a connection needs to know beside its bytes.</summary>
/// <param name="Limits">What this side takes.</param>
/// <param name="Pool">Takes the bodies of messages.</param>
/// <param name="TimeProvider">Tells the time.</param>
/// <param name="Logger">The logger.</param>
/// <param name="HeartbeatInterval">The time between two pings.</param>
/// <param name="SilenceLimit">A peer of which nothing is heard for this long is lost.</param>
internal sealed record PeerSettings(
    WireLimits Limits, TensorBufferPool Pool, TimeProvider TimeProvider, ILogger Logger, TimeSpan HeartbeatInterval, TimeSpan SilenceLimit)
{
    public static PeerSettings From(TransportOptions options, ILogger logger) => new(
        options.Limits.ToWireLimits(), options.Pool, options.TimeProvider, logger, options.HeartbeatInterval, options.IdleTimeout);
}

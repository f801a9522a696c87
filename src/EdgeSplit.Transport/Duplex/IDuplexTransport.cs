using System.Net;

namespace EdgeSplit.Transport.Duplex;

/// <summary>Makes connections: over TCP, in memory, or with faults added for tests.</summary>
/// <remarks>Implementations are thread-safe.</remarks>
public interface IDuplexTransport
{
    /// <summary>Starts to listen.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: the address is taken or not this machine's.</exception>
    ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken);

    /// <summary>Connects to a peer that listens.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: nobody answers there.</exception>
    ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken);
}

using System.Net;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing.Internal;

namespace EdgeSplit.Transport.Testing;

/// <summary>Adds faults to what one side of each connection receives. Give it to the side that shall suffer.</summary>
/// <param name="inner">Makes the connections.</param>
/// <param name="faults">The faults of every connection.</param>
/// <param name="timeProvider">Measures delays; the system's clock where null.</param>
public sealed class FaultInjectingTransport(IDuplexTransport inner, ConnectionFaults faults, TimeProvider? timeProvider = null) : IDuplexTransport
{
    /// <inheritdoc/>
    public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        new WrappingListener(await inner.ListenAsync(endPoint, cancellationToken).ConfigureAwait(false), Wrap);

    /// <inheritdoc/>
    public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        Wrap(await inner.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false));

    private FaultyConnection Wrap(IDuplexConnection connection) => new(connection, faults, timeProvider ?? TimeProvider.System);
}

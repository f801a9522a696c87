using System.Net;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing.Internal;

namespace EdgeSplit.Transport.Testing;

/// <summary>Adds faults to what one side of each connection receives. Give it to the side that shall suffer.</summary>
/// <param name="inner">Makes the connections.</param>
/// <param name="faultsOf">The faults of each connection; the first has number 0.</param>
/// <param name="timeProvider">Measures delays; the system's clock where null.</param>
public sealed class FaultInjectingTransport(IDuplexTransport inner, Func<int, ConnectionFaults> faultsOf, TimeProvider? timeProvider = null)
    : IDuplexTransport
{
    private int _connections = -1;

    /// <summary>Gives all connections the same faults.</summary>
    public FaultInjectingTransport(IDuplexTransport inner, ConnectionFaults faults)
        : this(inner, _ => faults)
    {
    }

    /// <inheritdoc/>
    public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        new WrappingListener(await inner.ListenAsync(endPoint, cancellationToken).ConfigureAwait(false), Wrap);

    /// <inheritdoc/>
    public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        Wrap(await inner.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false));

    private FaultyConnection Wrap(IDuplexConnection connection) =>
        new(connection, faultsOf(Interlocked.Increment(ref _connections)), timeProvider ?? TimeProvider.System);
}

using System.Net;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Testing.Internal;

namespace EdgeSplit.Transport.Testing;

/// <summary>
/// Slows down what one side of each connection sends, as a link of some bandwidth, latency and jitter would. For both
/// directions give it to both sides.
/// </summary>
/// <param name="inner">Makes the connections.</param>
/// <param name="profile">The link.</param>
/// <param name="timeProvider">Tells the time; the system's clock where null.</param>
public sealed class ThrottledTransport(IDuplexTransport inner, LinkProfile profile, TimeProvider? timeProvider = null) : IDuplexTransport
{
    private int _connections;

    /// <inheritdoc/>
    public async ValueTask<IDuplexListener> ListenAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        new WrappingListener(await inner.ListenAsync(endPoint, cancellationToken).ConfigureAwait(false), Wrap);

    /// <inheritdoc/>
    public async ValueTask<IDuplexConnection> ConnectAsync(EndPoint endPoint, CancellationToken cancellationToken) =>
        Wrap(await inner.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false));

    private ThrottledConnection Wrap(IDuplexConnection connection) => new(
        connection, profile with { Seed = profile.Seed + Interlocked.Increment(ref _connections) }, timeProvider ?? TimeProvider.System);
}

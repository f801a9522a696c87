using System.Net;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Testing.Internal;

internal sealed class WrappingListener(IDuplexListener inner, Func<IDuplexConnection, IDuplexConnection> wrap) : IDuplexListener
{
    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken) =>
        wrap(await inner.AcceptAsync(cancellationToken).ConfigureAwait(false));

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

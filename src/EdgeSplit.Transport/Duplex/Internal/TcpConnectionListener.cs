using System.Net;
using System.Net.Sockets;

namespace EdgeSplit.Transport.Duplex.Internal;

internal sealed class TcpConnectionListener(Socket socket) : IDuplexListener
{
    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    public async ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                Socket accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                return new TcpConnection(accepted);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.OperationAborted)
            {
                throw new ObjectDisposedException(nameof(TcpConnectionListener), exception);
            }
            catch (SocketException exception) when (exception.SocketErrorCode
                is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NotConnected)
            {
                // The peer left between its connect and our accept; the listener is fine.
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}

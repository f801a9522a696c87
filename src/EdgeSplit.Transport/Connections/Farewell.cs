using System.Buffers;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Connections;

/// <summary>Ends a connection so that the peer gets the last words: closing with bytes unread would throw them away.</summary>
internal static class Farewell
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    // A peer that goes on sending shall not keep the connection for long.
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Sends no more and drops what still comes until the peer closes too, for a second at most. Does not throw.</summary>
    public static async ValueTask WaitForPeerAsync(IDuplexConnection connection, TimeProvider timeProvider)
    {
        byte[] dropped = ArrayPool<byte>.Shared.Rent(4096);
        using var timeout = new CancellationTokenSource(DrainTimeout, timeProvider);
        try
        {
            await connection.CompleteSendAsync(timeout.Token).ConfigureAwait(false);
            while (await connection.ReceiveAsync(dropped, timeout.Token).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (Exception exception) when (IsConnectionLoss(exception))
        {
            // It is only a courtesy.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(dropped);
        }
    }

    /// <summary>Whether an operation on a connection throws such an exception when the connection breaks or is given up.</summary>
    public static bool IsConnectionLoss(Exception exception) => exception
        is OperationCanceledException or IOException or System.Net.Sockets.SocketException or ObjectDisposedException;
}

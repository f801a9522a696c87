using System.Net;

namespace EdgeSplit.Transport.Duplex;

/// <summary>A reliable, ordered stream of bytes to a peer and back: the ground that the wire format stands on.</summary>
/// <remarks>
/// One receive and one send may be pending at a time, side by side. Buffers stay the caller's and are not touched once the
/// operation's task has completed. A broken connection shows as <see cref="IOException"/> or
/// <see cref="System.Net.Sockets.SocketException"/>. Disposal aborts what is pending and may be called at any time.
/// </remarks>
public interface IDuplexConnection : IAsyncDisposable
{
    /// <summary>The peer's address; null where it has none.</summary>
    EndPoint? RemoteEndPoint { get; }

    /// <summary>Receives at least one byte into <paramref name="destination"/>, which is not empty.</summary>
    /// <returns>The number of bytes received; 0 once the peer sends no more.</returns>
    ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Sends all of the buffers in their order. Cancelling leaves the stream in an unknown state: dispose of it then.</summary>
    ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken);

    /// <summary>Tells the peer that no more bytes follow. Receiving goes on.</summary>
    ValueTask CompleteSendAsync(CancellationToken cancellationToken);
}

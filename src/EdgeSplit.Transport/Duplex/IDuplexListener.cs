using System.Net;

namespace EdgeSplit.Transport.Duplex;

/// <summary>Accepts connections from peers. Disposal stops that and leaves accepted connections alone.</summary>
public interface IDuplexListener : IAsyncDisposable
{
    /// <summary>The address that is listened on, with the port that was given out where 0 was asked for.</summary>
    EndPoint EndPoint { get; }

    /// <summary>Waits for the next connection. One call at a time.</summary>
    /// <exception cref="ObjectDisposedException">The listener was disposed of.</exception>
    ValueTask<IDuplexConnection> AcceptAsync(CancellationToken cancellationToken);
}

using System.Net;
using System.Text;
using EdgeSplit.Transport.Duplex;

namespace EdgeSplit.Transport.Tests.Wire;

/// <summary>A peer that a test plays by hand: it says what it is told to and notes what it hears.</summary>
internal sealed class RecordedPeer : IAsyncDisposable
{
    private readonly IDuplexConnection _connection;

    private RecordedPeer(IDuplexConnection connection) => _connection = connection;

    public static async Task<RecordedPeer> ConnectAsync(IDuplexTransport transport, EndPoint endPoint, CancellationToken cancellationToken) =>
        new(await transport.ConnectAsync(endPoint, cancellationToken));

    /// <summary>Sends bytes; false if the other side has closed the connection.</summary>
    public async Task<bool> SayAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _connection.SendAsync([bytes], cancellationToken);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async Task<byte[]> HearAsync(int byteCount, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[byteCount];
        for (int heard = 0; heard < byteCount;)
        {
            int count = await _connection.ReceiveAsync(bytes.AsMemory(heard), cancellationToken);
            Assert.That(count, Is.Positive, $"The connection ended after {heard} of {byteCount} bytes.");
            heard += count;
        }
        return bytes;
    }

    /// <summary>Hears until some words come.</summary>
    public async Task HearUntilAsync(string words, CancellationToken cancellationToken)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (!Encoding.UTF8.GetString(all.ToArray()).Contains(words, StringComparison.Ordinal))
        {
            int count = await _connection.ReceiveAsync(buffer, cancellationToken);
            Assert.That(count, Is.Positive, $"The connection ended without '{words}'.");
            all.Write(buffer, 0, count);
        }
    }

    /// <summary>Ends this side and hears the other out.</summary>
    public async Task<byte[]> HearToTheEndAsync(CancellationToken cancellationToken)
    {
        await _connection.CompleteSendAsync(cancellationToken);
        using var all = new MemoryStream();
        byte[] buffer = new byte[4096];
        try
        {
            for (int count; (count = await _connection.ReceiveAsync(buffer, cancellationToken)) > 0;)
                all.Write(buffer, 0, count);
        }
        catch (IOException)
        {
            // Closed without a word is an end, too.
        }
        return all.ToArray();
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}

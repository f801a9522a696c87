using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>
/// The yardstick: sockets by hand, with all that the library adds left out. A message is its length in four bytes and its
/// body; buffers are allocated once; one message is under way at a time.
/// </summary>
internal sealed class RawEcho : IEcho
{
    private const int LengthBytes = 4;
    private readonly Socket _client;
    private readonly Socket _server;
    private readonly Task _serving;
    private readonly byte[] _length = new byte[LengthBytes];
    private readonly bool _answersInFull;
    private readonly byte[] _received;

    private RawEcho(Socket client, Socket server, int maxBytes, bool answersInFull)
    {
        _client = client;
        _server = server;
        _answersInFull = answersInFull;
        _received = GC.AllocateUninitializedArray<byte>(maxBytes);
        _serving = Task.Run(() => ServeAsync(maxBytes, answersInFull));
    }

    /// <param name="maxBytes">The largest body.</param>
    /// <param name="answersInFull">Whether the server sends the body back, or one byte.</param>
    public static async Task<RawEcho> StartAsync(int maxBytes, bool answersInFull)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndPoint!);
        Socket server = await listener.AcceptAsync();
        server.NoDelay = true;
        return new RawEcho(client, server, maxBytes, answersInFull);
    }

    public async Task CallAsync(byte[] body)
    {
        await SendAsync(_client, _length, body);
        await ReceiveAsync(_client, _answersInFull ? _received.AsMemory(0, body.Length) : _received.AsMemory(0, 1));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _serving;
        _server.Dispose();
    }

    private async Task ServeAsync(int maxBytes, bool answersInFull)
    {
        byte[] length = new byte[LengthBytes];
        byte[] body = GC.AllocateUninitializedArray<byte>(maxBytes);
        while (await ReceiveAsync(_server, length))
        {
            Memory<byte> message = body.AsMemory(0, BinaryPrimitives.ReadInt32LittleEndian(length));
            await ReceiveAsync(_server, message);
            ReadOnlyMemory<byte> answer = answersInFull ? message : message[..1];
            while (!answer.IsEmpty)
                answer = answer[await _server.SendAsync(answer)..];
        }
    }

    private static async ValueTask SendAsync(Socket socket, byte[] length, byte[] body)
    {
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        await socket.SendAsync([length, body]);
    }

    private static async ValueTask<bool> ReceiveAsync(Socket socket, Memory<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = await socket.ReceiveAsync(destination);
            if (count == 0)
                return false;
            destination = destination[count..];
        }
        return true;
    }
}

using System.Net;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport.Tests;

/// <summary>In which order bodies go out that wait for a connection at the same time.</summary>
public sealed class FrameWriterTests
{
    private const int MiB = 1 << 20;

    [Test]
    public async Task Enqueue_messages_of_one_size_go_one_after_the_other_and_a_small_one_before_them()
    {
        var connection = new GatedConnection();
        var writer = new FrameWriter(connection, long.MaxValue, TimeProvider.System, static _ => { });
        OutgoingMessage[] messages = [Message(1, 4 * MiB), Message(3, 4 * MiB), Message(5, 10_000)];
        writer.Enqueue(messages[0]);
        await connection.WaitForSendAsync();
        writer.Enqueue(messages[1]);
        writer.Enqueue(messages[2]);
        await connection.SendAllAsync(messages);

        Assert.That(connection.Bytes(1), Is.EqualTo(4 * MiB));
        Assert.That(connection.Bytes(3), Is.EqualTo(4 * MiB));
        Assert.That(connection.Streams.IndexOf(5), Is.LessThanOrEqualTo(2));
        Assert.That(connection.Streams.LastIndexOf(1), Is.LessThan(connection.Streams.IndexOf(3)));
    }

    [Test]
    public async Task Enqueue_large_message_has_half_of_the_turns_while_small_ones_come_without_end()
    {
        var connection = new GatedConnection();
        var writer = new FrameWriter(connection, long.MaxValue, TimeProvider.System, static _ => { });
        OutgoingMessage large = Message(1, 4 * MiB);
        var small = new List<OutgoingMessage>();
        writer.Enqueue(large);
        await connection.WaitForSendAsync();
        // Two more for each turn: they alone would keep the connection busy.
        for (uint stream = 3; !large.IsReleased; stream += 4)
        {
            foreach (OutgoingMessage message in new[] { Message(stream, MiB), Message(stream + 2, MiB) })
            {
                small.Add(message);
                writer.Enqueue(message);
            }
            await connection.PassOneAsync();
        }
        Assert.That(connection.BytesOfAll, Is.LessThanOrEqualTo((2 * 4 * MiB) + (2 * MiB)));
        await connection.SendAllAsync([.. small]);
        Assert.That(small.Select(message => connection.Bytes(message.StreamId)), Is.All.EqualTo(MiB));
    }

    private static OutgoingMessage Message(uint stream, int byteCount)
    {
        var head = new HeaderBuffer();
        head.Advance(FramePrefix.ByteCount);
        return new OutgoingMessage(FrameType.Request, stream, head, [new byte[byteCount]]);
    }

    /// <summary>Notes the frames that it is given, and takes each batch only when it is told to.</summary>
    private sealed class GatedConnection : IDuplexConnection
    {
        private readonly SemaphoreSlim _begun = new(0);
        private readonly SemaphoreSlim _mayEnd = new(0);
        private readonly Dictionary<uint, int> _bytes = [];

        public EndPoint? RemoteEndPoint => null;

        /// <summary>The stream of each frame.</summary>
        public List<uint> Streams { get; } = [];

        public int BytesOfAll => _bytes.Values.Sum();

        public int Bytes(uint stream) => _bytes[stream];

        public Task WaitForSendAsync() => _begun.WaitAsync();

        /// <summary>Takes the batch that waits, and waits for the next.</summary>
        public Task PassOneAsync()
        {
            _mayEnd.Release();
            return WaitForSendAsync();
        }

        public async Task SendAllAsync(OutgoingMessage[] messages)
        {
            _mayEnd.Release(1000);
            foreach (OutgoingMessage message in messages.Where(static message => !message.IsReleased))
                await message.Released;
        }

        public async ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
        {
            int bodyLeft = 0;
            foreach (ReadOnlyMemory<byte> buffer in buffers)
            {
                if (bodyLeft > 0)
                {
                    bodyLeft -= buffer.Length;
                    continue;
                }
                FramePrefix prefix = FramePrefix.Read(new(buffer), int.MaxValue);
                Streams.Add(prefix.StreamId);
                _bytes[prefix.StreamId] = _bytes.GetValueOrDefault(prefix.StreamId) + prefix.BodyBytes;
                bodyLeft = prefix.BodyBytes;
            }
            _begun.Release();
            await _mayEnd.WaitAsync(cancellationToken);
        }

        public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask CompleteSendAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

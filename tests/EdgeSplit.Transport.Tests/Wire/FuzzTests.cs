using System.Buffers;
using System.Diagnostics;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Testing;

namespace EdgeSplit.Transport.Tests.Wire;

/// <summary>
/// Feeds a server what no honest peer would send: valid conversations with bytes changed, cut, doubled or inserted, after a
/// valid handshake and without one. EDGESPLIT_FUZZ_SECONDS sets for how long (default 8), EDGESPLIT_FUZZ_SEED with which seed.
/// </summary>
// Not beside others, whose memory would count as the server's.
[NonParallelizable]
[CancelAfter(600_000)]
public sealed class FuzzTests
{
    private const int MaxBufferedBytes = 64 * 1024;

    // What a connection may cost beside the bodies it is allowed to have buffered: headers, handshake, and this test's own.
    private const long OverheadBytes = 4 << 20;

    [Test]
    public async Task Server_any_bytes_neither_crash_it_nor_take_memory_beyond_the_limit(CancellationToken cancellationToken)
    {
        int seed = int.Parse(Environment.GetEnvironmentVariable("EDGESPLIT_FUZZ_SEED") ?? "1");
        double seconds = double.Parse(Environment.GetEnvironmentVariable("EDGESPLIT_FUZZ_SECONDS") ?? "8");
        var random = new Random(seed);
        var transport = new InMemoryTransport();
        var pool = new TensorBufferPool(retainedBytesLimit: 0);
        await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions
        {
            Transport = transport,
            Pool = pool,
            MaxNewConnectionsPerPeerAndMinute = int.MaxValue,
            Limits = new TransportLimits { MaxHeaderBytes = 4096, MaxTensorBytes = MaxBufferedBytes, MaxBufferedBytes = MaxBufferedBytes },
        });
        await server.StartAsync(cancellationToken);
        byte[] handshake = WireBytes.Handshake(MaxBufferedBytes);
        byte[][] conversation = Conversation();

        long started = Stopwatch.GetTimestamp();
        int connections = 0;
        for (; Stopwatch.GetElapsedTime(started).TotalSeconds < seconds; connections++)
        {
            byte[] bytes = Mutate([.. handshake, .. conversation.OrderBy(_ => random.Next()).SelectMany(static frame => frame)], handshake.Length, random);
            long before = GC.GetTotalAllocatedBytes();
            await using RecordedPeer peer = await RecordedPeer.ConnectAsync(transport, server.EndPoint, cancellationToken);
            await peer.SayAsync(bytes, cancellationToken);
            await peer.HearToTheEndAsync(cancellationToken);
            long allocated = GC.GetTotalAllocatedBytes() - before;
            Assert.That(allocated, Is.LessThan(MaxBufferedBytes * 4 + OverheadBytes), $"connection {connections} of seed {seed}: {Convert.ToHexString(bytes)}");
        }

        TestContext.Out.WriteLine($"{connections} connections, seed {seed}");
        while (server.ConnectionCount > 0 || pool.RentedBuffers > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        await using RemoteEdgeAgent honest = await RemoteEdgeAgent.ConnectAsync(
            server.EndPoint, new RemoteEdgeAgentOptions { Transport = transport }, cancellationToken);
        Assert.That((await honest.DescribeAsync(cancellationToken)).Runtime, Is.EqualTo("fake 1"));
    }

    private static byte[][] Conversation()
    {
        byte[] body = new byte[300];
        var part = new TensorPart("x", TensorElementType.UInt8, new TensorShape(body.Length), body.Length);
        var strings = new TensorPart("s", TensorElementType.String, new TensorShape(2), 12);
        byte[] texts = [2, 0, 0, 0, 65, 66, 2, 0, 0, 0, 67, 68];
        using Tensor zeros = Tensor.Create<float>(new float[2000], new TensorShape(2, 1000));
        ActivationCodec.TryEncode(zeros, ActivationEncoding.Lz4, TensorBufferPool.Shared, out IMemoryOwner<byte>? owner, out int compressedBytes);
        byte[] compressed = owner!.Memory.ToArray();
        owner.Dispose();
        var encoded = new TensorPart("x", TensorElementType.Float, zeros.Shape, compressedBytes, ActivationEncoding.Lz4);
        return
        [
            WireBytes.Frame(FrameType.Request, 1, WireBytes.Request(new ExecuteCall(Guid.Empty, "p"), part), body),
            [.. WireBytes.Frame(FrameType.Request, 3, WireBytes.Request(new ExecuteCall(Guid.Empty, "p"), part, strings), body.AsSpan(100)), .. WireBytes.Frame(FrameType.Data, 3, [], body.AsSpan(200)), .. WireBytes.Frame(FrameType.Data, 3, [], texts)],
            WireBytes.Frame(FrameType.Request, 5, WireBytes.Request(new EmptyPayload(Operation.Describe)), []),
            WireBytes.Frame(FrameType.Request, 7, WireBytes.Request(new UnloadCall("p")), []),
            WireBytes.Frame(FrameType.Request, 9, WireBytes.Request(new LoadCall(1), part), body),
            WireBytes.Frame(FrameType.Request, 11, WireBytes.Request(new ExecuteCall(Guid.Empty, "p", ActivationEncoding.Lz4), encoded), compressed.AsSpan(0, compressedBytes)),
            WireBytes.Frame(FrameType.Cancel, 3, [], []),
            WireBytes.Frame(FrameType.Ping, 0, new byte[8], []),
            WireBytes.Frame(FrameType.Credit, 0, new byte[8], []),
            WireBytes.Frame(FrameType.Blocked, 0, [], []),
        ];
    }

    private static byte[] Mutate(byte[] valid, int handshakeBytes, Random random)
    {
        List<byte> bytes = [.. valid];
        // Mostly leave the handshake alone: behind it is more to break.
        int from = random.Next(8) == 0 ? 0 : handshakeBytes;
        for (int changes = random.Next(6); changes > 0 && bytes.Count > from; changes--)
        {
            int at = random.Next(from, bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)(random.Next(2) == 0 ? 0xFF : random.Next(256));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Enumerable.Range(0, random.Next(1, 20)).Select(_ => (byte)random.Next(256)).ToArray());
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(from, Math.Min(random.Next(1, 200), bytes.Count - from)));
                    break;
                default:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }
        return [.. bytes];
    }
}

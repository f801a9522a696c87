using System.Buffers;
using System.Reflection;
using System.Security.Cryptography;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Security;
using EdgeSplit.Transport.Testing;
using EdgeSplit.Transport.Tests.Wire;

namespace EdgeSplit.Transport.Tests;

/// <summary>What someone can do who has recorded an honest peer, or speaks the protocol without keeping to it.</summary>
[CancelAfter(30_000)]
public sealed class ReplayTests
{
    private const byte Call = 0x28;
    private const int HeardByThePeer = 4096;

    [Test]
    public async Task Handshake_said_again_word_for_word_is_denied(CancellationToken cancellationToken)
    {
        var memory = new InMemoryTransport();
        var recording = new RecordingTransport(memory);
        var token = new JoinToken(JoinToken.Create());
        await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions { Transport = memory, JoinToken = token });
        await server.StartAsync(cancellationToken);
        await (await RemoteEdgeAgent.ConnectAsync(server.EndPoint, new RemoteEdgeAgentOptions { Transport = recording, JoinToken = token }, cancellationToken)).DisposeAsync();

        await using RecordedPeer replay = await RecordedPeer.ConnectAsync(memory, server.EndPoint, cancellationToken);
        await replay.SayAsync(recording.Sent[0], cancellationToken);
        await replay.SayAsync(recording.Sent[1], cancellationToken);

        Assert.That(LastFailure(await replay.HearToTheEndAsync(cancellationToken)).Error, Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public void Verify_a_proof_made_for_another_id_or_the_other_side_is_false()
    {
        var token = new JoinToken(JoinToken.Create());
        byte[] transcript = RandomNumberGenerator.GetBytes(32);
        byte[] proof = token.Prove("EdgeSplit 1 connector", [.. transcript, .. "a"u8]);

        Assert.That(token.Verify("EdgeSplit 1 connector", [.. transcript, .. "a"u8], proof));
        Assert.That(token.Verify("EdgeSplit 1 connector", [.. transcript, .. "b"u8], proof), Is.False);
        Assert.That(token.Verify("EdgeSplit 1 acceptor", [.. transcript, .. "a"u8], proof), Is.False);
    }

    [Test]
    public void Verify_a_proof_with_any_one_bit_changed_or_of_another_length_is_false()
    {
        var token = new JoinToken(JoinToken.Create());
        byte[] transcript = RandomNumberGenerator.GetBytes(32);
        byte[] proof = token.Prove("side", transcript);
        for (int bit = 0; bit < proof.Length * 8; bit++)
        {
            byte[] changed = [.. proof];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(token.Verify("side", transcript, changed), Is.False, $"bit {bit}");
        }
        foreach (byte[] other in (byte[][])[[], proof[..^1], [.. proof, 0]])
            Assert.That(token.Verify("side", transcript, other), Is.False);
        Assert.That(token.Verify("side", transcript, proof));
    }

    /// <summary>Measuring it would only show the noise of the machine, so what is checked is that nothing else compares.</summary>
    [Test]
    public void Verify_compares_with_the_method_whose_time_does_not_depend_on_the_bytes()
    {
        MethodInfo verify = typeof(JoinToken).GetMethod(nameof(JoinToken.Verify), BindingFlags.NonPublic | BindingFlags.Instance)!;

        Assert.That(
            Calls(verify).Select(static method => method.Name).Where(static name => !name.StartsWith("op_", StringComparison.Ordinal)),
            Is.EquivalentTo(new[] { nameof(JoinToken.Prove), nameof(CryptographicOperations.FixedTimeEquals) }));
    }

    [TestCase(1001, 1, TestName = "Request_with_a_tensor_beyond_the_limit_is_cut_off_before_memory_is_taken")]
    [TestCase(1000, 3, TestName = "Request_beyond_the_credit_is_cut_off_before_memory_is_taken")]
    public async Task Request_beyond_limits(int tensorBytes, int tensors, CancellationToken cancellationToken)
    {
        var memory = new InMemoryTransport();
        var recording = new RecordingTransport(memory);
        var pool = new TensorBufferPool(retainedBytesLimit: 0);
        await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions
        {
            Transport = memory,
            Pool = pool,
            Limits = new TransportLimits { MaxTensorBytes = 1000, MaxBufferedBytes = 2500 },
        });
        await server.StartAsync(cancellationToken);
        await (await RemoteEdgeAgent.ConnectAsync(server.EndPoint, new RemoteEdgeAgentOptions { Transport = recording }, cancellationToken)).DisposeAsync();
        await using RecordedPeer peer = await RecordedPeer.ConnectAsync(memory, server.EndPoint, cancellationToken);
        await peer.SayAsync(recording.Sent[0], cancellationToken);
        await peer.SayAsync(recording.Sent[1], cancellationToken);

        await peer.SayAsync(Request(tensorBytes, tensors), cancellationToken);

        Assert.That(LastFailure(await peer.HearToTheEndAsync(cancellationToken)).Error, Is.EqualTo(EdgeSplitError.ProtocolViolation));
        Assert.That(pool.RentedBuffers, Is.Zero);
    }

    /// <summary>The start of a request that announces tensors and brings the first byte.</summary>
    private static byte[] Request(int tensorBytes, int tensors)
    {
        var header = new ArrayBufferWriter<byte>();
        TensorPart[] parts = [.. Enumerable.Range(0, tensors).Select(i => new TensorPart($"x{i}", TensorElementType.UInt8, new TensorShape(tensorBytes), tensorBytes))];
        new MessageHead(new ExecuteCall(Guid.Empty, "p"), parts).WriteRequest(header);
        byte[] prefix = new byte[FramePrefix.ByteCount];
        new FramePrefix(FrameType.Request, 1, header.WrittenCount, 1).Write(prefix);
        return [.. prefix, .. header.WrittenSpan, 0];
    }

    /// <summary>The failure of the Close frame that ends what a peer heard.</summary>
    private static FailureHead LastFailure(byte[] heard)
    {
        var left = new ReadOnlySequence<byte>(heard).Slice(Preamble.ByteCount);
        while (true)
        {
            FramePrefix prefix = FramePrefix.Read(left, HeardByThePeer);
            ReadOnlySequence<byte> header = left.Slice(FramePrefix.ByteCount, prefix.HeaderBytes);
            if (prefix.Type == FrameType.Close)
                return FailureHead.Read(header);
            left = left.Slice(FramePrefix.ByteCount + prefix.HeaderBytes + prefix.PaddingBytes + prefix.BodyBytes);
        }
    }

    /// <summary>The methods that a short method without branches calls.</summary>
    private static IEnumerable<MethodBase> Calls(MethodInfo method)
    {
        byte[] code = method.GetMethodBody()!.GetILAsByteArray()!;
        for (int i = 0; i + 5 <= code.Length; i++)
        {
            if (code[i] == Call && TryResolve(method.Module, BitConverter.ToInt32(code, i + 1)) is { } called)
            {
                yield return called;
                i += 4;
            }
        }
    }

    private static MethodBase? TryResolve(Module module, int token)
    {
        try
        {
            return module.ResolveMethod(token);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}

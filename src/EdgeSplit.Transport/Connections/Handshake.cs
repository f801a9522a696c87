using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// The start of a connection: preambles and Hellos both ways, then the connecting side's proof, then the accepting side's
/// welcome with its own proof. The accepting side proves nothing to a peer that has not proved itself.
/// </summary>
/// <remarks>
/// A proof is an HMAC over everything said before, both nonces among it, and over the hash of the TLS certificate if there is
/// one. So a proof fits no other connection, and one that was passed on by a machine in the middle with another certificate
/// fits none at all.
/// </remarks>
internal sealed class Handshake(IDuplexConnection connection, FrameSource source, WireLimits limits, JoinToken? token)
{
    private const string Connector = "EdgeSplit 1 connector";
    private const string Acceptor = "EdgeSplit 1 acceptor";
    private readonly IncrementalHash _transcript = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private bool _hasSentPreamble;

    /// <summary>Runs the connecting side.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>, <see cref="EdgeSplitError.ProtocolViolation"/>,
    /// or the reason for which the peer refused.</exception>
    public async ValueTask<HandshakeResult> ConnectAsync(CancellationToken cancellationToken)
    {
        await SendHelloAsync(cancellationToken).ConfigureAwait(false);
        Hello peer = await ReceiveHelloAsync(cancellationToken).ConfigureAwait(false);
        if (peer.WantsToken && token is null)
            throw Denied("The agent asks for a join token and none is given; set the join token that the agent was started with");
        byte[] transcript = EndTranscript();

        byte[] ownProof = token is not null && peer.WantsToken ? token.Prove(Connector, transcript) : [];
        await SendAsync(FrameType.Proof, writer => writer.Write(ownProof), cancellationToken).ConfigureAwait(false);

        await ReceiveAsync(FrameType.Welcome, cancellationToken).ConfigureAwait(false);
        (byte[] proof, string agentId) = ReadWelcome(source.Header);
        source.ConsumeHead();
        if (token is not null && !token.Verify(Acceptor, WithAgentId(transcript, agentId), proof))
            throw Denied("The agent did not prove that it knows the join token; give both sides the same one");
        return new HandshakeResult(peer.Limits, agentId, IsConnector: true);
    }

    /// <summary>Runs the accepting side.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/> or <see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public async ValueTask<HandshakeResult> AcceptAsync(string agentId, CancellationToken cancellationToken)
    {
        Hello peer = await ReceiveHelloAsync(cancellationToken).ConfigureAwait(false);
        // The transcript has the connecting side's words first, on both sides.
        await SendHelloAsync(cancellationToken).ConfigureAwait(false);
        byte[] transcript = EndTranscript();

        await ReceiveAsync(FrameType.Proof, cancellationToken).ConfigureAwait(false);
        byte[] proof = source.Header.ToArray();
        source.ConsumeHead();
        if (token is not null && !token.Verify(Connector, transcript, proof))
            throw Denied("The join token is wrong or missing; give both sides the same one");

        byte[] ownProof = token?.Prove(Acceptor, WithAgentId(transcript, agentId)) ?? [];
        await SendAsync(FrameType.Welcome, writer => WriteWelcome(writer, ownProof, agentId), cancellationToken).ConfigureAwait(false);
        return new HandshakeResult(peer.Limits, agentId, IsConnector: false);
    }

    /// <summary>Tells the peer why there will be no connection, and ends it. Does not throw.</summary>
    public async ValueTask RefuseAsync(EdgeSplitException reason, TimeProvider timeProvider)
    {
        using var timeout = new CancellationTokenSource(Farewell.Timeout, timeProvider);
        try
        {
            using var buffer = new HeaderBuffer();
            if (!_hasSentPreamble)
                WritePreamble(buffer);
            WriteFrame(buffer, FrameType.Close, FailureHead.From(reason).Write);
            await connection.SendAsync([buffer.Written], timeout.Token).ConfigureAwait(false);
            await Farewell.WaitForPeerAsync(connection, timeProvider).ConfigureAwait(false);
        }
        catch (Exception exception) when (Farewell.IsConnectionLoss(exception))
        {
            // The peer did not wait to be told.
        }
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask SendHelloAsync(CancellationToken cancellationToken)
    {
        using var buffer = new HeaderBuffer();
        WritePreamble(buffer);
        Hello hello = Hello.Create(limits, wantsToken: token is not null);
        WriteFrame(buffer, FrameType.Hello, hello.Write);
        _transcript.AppendData(buffer.WrittenSpan);
        await connection.SendAsync([buffer.Written], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<Hello> ReceiveHelloAsync(CancellationToken cancellationToken)
    {
        ReadOnlySequence<byte> bytes = await source.PeekAsync(Preamble.ByteCount, cancellationToken).ConfigureAwait(false);
        ReadOnlySequence<byte> preamble = bytes.Slice(0, Preamble.ByteCount);
        Preamble.Read(preamble);
        _transcript.AppendData(preamble.ToArray());
        source.Consume(preamble.End);

        FramePrefix prefix = await ReceiveAsync(FrameType.Hello, cancellationToken).ConfigureAwait(false);
        Span<byte> prefixBytes = stackalloc byte[FramePrefix.ByteCount];
        prefix.Write(prefixBytes);
        _transcript.AppendData(prefixBytes);
        _transcript.AppendData(source.Header.ToArray());
        Hello hello = Hello.Read(source.Header);
        source.ConsumeHead();
        return hello;
    }

    private byte[] EndTranscript()
    {
        if (connection is ISecuredConnection secured)
            _transcript.AppendData(secured.ServerCertificateHash.Span);
        return _transcript.GetHashAndReset();
    }

    private async ValueTask SendAsync(FrameType type, Action<IBufferWriter<byte>> write, CancellationToken cancellationToken)
    {
        using var buffer = new HeaderBuffer();
        WriteFrame(buffer, type, write);
        await connection.SendAsync([buffer.Written], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<FramePrefix> ReceiveAsync(FrameType expected, CancellationToken cancellationToken)
    {
        FramePrefix prefix = await source.PeekFrameAsync(WireLimits.LeastHeaderBytes, cancellationToken).ConfigureAwait(false);
        if (prefix.Type == FrameType.Close)
            throw FailureHead.Read(source.Header).ToException();
        return prefix.Type == expected
            ? prefix
            : throw ProtocolError.Violation($"a {prefix.Type} frame came instead of {expected}");
    }

    private void WritePreamble(HeaderBuffer buffer)
    {
        Preamble.Own.Write(buffer.GetSpan(Preamble.ByteCount));
        buffer.Advance(Preamble.ByteCount);
        _hasSentPreamble = true;
    }

    private static void WriteFrame(HeaderBuffer buffer, FrameType type, Action<IBufferWriter<byte>> write)
    {
        int start = buffer.Length;
        buffer.GetSpan(FramePrefix.ByteCount);
        buffer.Advance(FramePrefix.ByteCount);
        write(buffer);
        new FramePrefix(type, 0, buffer.Length - start - FramePrefix.ByteCount, 0).Write(buffer.WrittenSpan[start..]);
    }

    private static void WriteWelcome(IBufferWriter<byte> destination, byte[] proof, string agentId)
    {
        var writer = new MessagePack.MessagePackWriter(destination);
        writer.WriteArrayHeader(2);
        writer.Write(proof);
        writer.Write(agentId);
        writer.Flush();
    }

    private static (byte[] Proof, string AgentId) ReadWelcome(in ReadOnlySequence<byte> header)
    {
        try
        {
            var reader = new MessagePack.MessagePackReader(header);
            reader.ReadArrayHeaderOf(2);
            byte[] proof = (reader.ReadBytes() ?? default).ToArray();
            return (proof, reader.ReadText());
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"its Welcome is malformed ({exception.Message})", exception);
        }
    }

    private static byte[] WithAgentId(byte[] transcript, string agentId) => [.. transcript, .. Encoding.UTF8.GetBytes(agentId)];

    private static EdgeSplitException Denied(string what) => new(EdgeSplitError.AccessDenied, what + ".");
}

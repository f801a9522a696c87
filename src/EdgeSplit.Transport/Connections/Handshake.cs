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
/// welcome with its own proof. The accepting side proves nothing to a peer that has not proved itself. Either may be the agent.
/// </summary>
/// <remarks>
/// A proof is an HMAC over everything said before, both nonces among it, over the hash of the TLS certificate if there is one,
/// and over the id of the side that proves. So a proof fits no other connection, and one that was passed on by a machine in the middle with another certificate
/// fits none at all.
/// </remarks>
internal sealed class Handshake(IDuplexConnection connection, FrameSource source, PeerRole role, TransportOptions options)
{
    private const string Connector = "EdgeSplit 1 connector";
    private const string Acceptor = "EdgeSplit 1 acceptor";
    private const int MaxIdLength = 256;
    private readonly IncrementalHash _transcript = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly JoinToken? _token = options.JoinToken;
    private bool _hasSentPreamble;
    private uint _features;

    /// <summary>Runs the connecting side.</summary>
    /// <param name="ownId">This side's id if it is an agent; empty if not.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>, <see cref="EdgeSplitError.ProtocolViolation"/>,
    /// or the reason for which the peer refused.</exception>
    public async ValueTask<HandshakeResult> ConnectAsync(string ownId, CancellationToken cancellationToken)
    {
        await SendHelloAsync(cancellationToken).ConfigureAwait(false);
        Hello peer = await ReceiveHelloAsync(cancellationToken).ConfigureAwait(false);
        if (peer.WantsToken && _token is null)
            throw Denied("The other side asks for a join token and none is given; set the join token that it was started with");
        byte[] transcript = EndTranscript();

        await SendProofAsync(FrameType.Proof, Connector, transcript, ownId, cancellationToken).ConfigureAwait(false);
        (byte[] proof, string peerId) = await ReceiveProofAsync(FrameType.Welcome, cancellationToken).ConfigureAwait(false);
        if (_token is not null && !_token.Verify(Acceptor, WithId(transcript, peerId), proof))
            throw Denied("The other side did not prove that it knows the join token; give both sides the same one");
        return new HandshakeResult(peer.Limits, CheckId(peerId), IsConnector: true, _features);
    }

    /// <summary>Runs the accepting side.</summary>
    /// <param name="ownId">This side's id if it is an agent; empty if not.</param>
    /// <param name="admit">Asked with the peer's id once that is proved; throws to turn it away.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/> or <see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public async ValueTask<HandshakeResult> AcceptAsync(string ownId, Func<string, CancellationToken, ValueTask> admit, CancellationToken cancellationToken)
    {
        Hello peer = await ReceiveHelloAsync(cancellationToken).ConfigureAwait(false);
        // The transcript has the connecting side's words first, on both sides.
        await SendHelloAsync(cancellationToken).ConfigureAwait(false);
        byte[] transcript = EndTranscript();

        (byte[] proof, string peerId) = await ReceiveProofAsync(FrameType.Proof, cancellationToken).ConfigureAwait(false);
        if (_token is not null && !_token.Verify(Connector, WithId(transcript, peerId), proof))
            throw Denied("The join token is wrong or missing; give both sides the same one");
        await admit(CheckId(peerId), cancellationToken).ConfigureAwait(false);

        await SendProofAsync(FrameType.Welcome, Acceptor, transcript, ownId, cancellationToken).ConfigureAwait(false);
        return new HandshakeResult(peer.Limits, peerId, IsConnector: false, _features);
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
        Hello hello = Hello.Create(role, options.Limits.ToWireLimits(), wantsToken: _token is not null);
        WriteFrame(buffer, FrameType.Hello, hello.Write);
        _transcript.AppendData(buffer.WrittenSpan);
        await connection.SendAsync([buffer.Written], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<Hello> ReceiveHelloAsync(CancellationToken cancellationToken)
    {
        ReadOnlySequence<byte> bytes = await source.PeekAsync(Preamble.ByteCount, cancellationToken).ConfigureAwait(false);
        ReadOnlySequence<byte> preamble = bytes.Slice(0, Preamble.ByteCount);
        _features = Preamble.Read(preamble).Features & Preamble.Own.Features;
        _transcript.AppendData(preamble.ToArray());
        source.Consume(preamble.End);

        FramePrefix prefix = await ReceiveAsync(FrameType.Hello, cancellationToken).ConfigureAwait(false);
        Span<byte> prefixBytes = stackalloc byte[FramePrefix.ByteCount];
        prefix.Write(prefixBytes);
        _transcript.AppendData(prefixBytes);
        _transcript.AppendData(source.Header.ToArray());
        Hello hello = Hello.Read(source.Header);
        source.ConsumeHead();
        return hello.Role != role
            ? hello
            : throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, role == PeerRole.Agent
                ? "Both sides are agents. Join a coordinator that listens for agents, or let it connect to this one."
                : "Both sides are coordinators. Connect to an agent that listens, or let it join this one.");
    }

    private byte[] EndTranscript()
    {
        if (connection is ISecuredConnection secured)
            _transcript.AppendData(secured.ServerCertificateHash.Span);
        return _transcript.GetHashAndReset();
    }

    private async ValueTask SendProofAsync(FrameType type, string label, byte[] transcript, string ownId, CancellationToken cancellationToken)
    {
        byte[] proof = _token?.Prove(label, WithId(transcript, ownId)) ?? [];
        using var buffer = new HeaderBuffer();
        WriteFrame(buffer, type, destination =>
        {
            var writer = new MessagePack.MessagePackWriter(destination);
            writer.WriteArrayHeader(2);
            writer.Write(proof);
            writer.Write(ownId);
            writer.Flush();
        });
        await connection.SendAsync([buffer.Written], cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<(byte[] Proof, string PeerId)> ReceiveProofAsync(FrameType expected, CancellationToken cancellationToken)
    {
        await ReceiveAsync(expected, cancellationToken).ConfigureAwait(false);
        (byte[] Proof, string PeerId) read = ReadProof(source.Header, expected);
        source.ConsumeHead();
        return read;
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

    private static (byte[] Proof, string PeerId) ReadProof(in ReadOnlySequence<byte> header, FrameType type)
    {
        try
        {
            var reader = new MessagePack.MessagePackReader(header);
            reader.ReadArrayHeaderOf(2);
            byte[] proof = (reader.ReadBytes() ?? default).ToArray();
            string peerId = reader.ReadText();
            return reader.End ? (proof, peerId) : throw new FormatException("bytes are left over");
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"its {type} is malformed ({exception.Message})", exception);
        }
    }

    /// <summary>An agent has an id, and only an agent; it is shown to people and written to logs.</summary>
    private string CheckId(string peerId)
    {
        bool isAgent = role == PeerRole.Coordinator;
        return (peerId.Length > 0) == isAgent && peerId.Length <= MaxIdLength && !peerId.Any(char.IsControl)
            ? peerId
            : throw ProtocolError.Violation($"its id is missing, longer than {MaxIdLength} characters, or no text");
    }

    private static byte[] WithId(byte[] transcript, string id) => [.. transcript, .. Encoding.UTF8.GetBytes(id)];

    private static EdgeSplitException Denied(string what) => new(EdgeSplitError.AccessDenied, what + ".");
}

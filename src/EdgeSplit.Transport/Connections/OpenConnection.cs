using System.Net;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport.Connections;

/// <summary>A connection that has its handshake behind it.</summary>
/// <param name="Duplex">The bytes.</param>
/// <param name="Source">Their receiving half.</param>
/// <param name="Handshake">What the handshake found out.</param>
internal sealed record OpenConnection(IDuplexConnection Duplex, FrameSource Source, HandshakeResult Handshake)
{
    /// <summary>What all connections of the peer may hold together; null where this side has connected, and to no more than it wanted.</summary>
    public PeerShare? Share { get; init; }

    /// <summary>Connects to a peer that listens.</summary>
    /// <param name="endPoint">Where.</param>
    /// <param name="role">What this side is.</param>
    /// <param name="ownId">This side's id if it is an agent; empty if not.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: nobody answers there in time; whatever the
    /// peer refuses with.</exception>
    public static async ValueTask<OpenConnection> ConnectAsync(
        EndPoint endPoint, PeerRole role, string ownId, ConnectOptions options, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IDuplexConnection? connection = null;
        FrameSource? source = null;
        try
        {
            connection = await options.Transport.ConnectAsync(endPoint, either.Token).ConfigureAwait(false);
            if (options.Tls is not null)
                connection = await TlsConnection.ConnectAsync(connection, options.Tls, HostAndPort.HostOf(endPoint), either.Token).ConfigureAwait(false);
            source = new FrameSource(connection, options.TimeProvider);
            var handshake = new Handshake(connection, source, role, options);
            return new OpenConnection(connection, source, await handshake.ConnectAsync(ownId, either.Token).ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            source?.Dispose();
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (!Farewell.IsConnectionLoss(exception))
                throw;
            string what = exception is OperationCanceledException
                ? $"did not answer within {options.ConnectTimeout.TotalSeconds:0.###} s"
                : $"ended the connection during the handshake ({exception.Message})";
            string wanted = role == PeerRole.Coordinator ? "an agent" : "a coordinator";
            throw new EdgeSplitException(
                EdgeSplitError.AgentUnavailable,
                $"{HostAndPort.Format(endPoint)} {what}. Check that {wanted} listens there and that both or neither side uses TLS.",
                exception);
        }
    }

    /// <summary>Shakes hands with a peer that has connected; one that is turned away is told why, and the connection is closed.</summary>
    /// <param name="accepted">The new connection; owned from now on.</param>
    /// <param name="role">What this side is.</param>
    /// <param name="ownId">This side's id if it is an agent; empty if not.</param>
    /// <param name="refusal">Why the peer must be turned away at once; null to hear it.</param>
    /// <param name="admit">Asked with the peer's id before it is welcomed; throws to turn it away.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EdgeSplitException">The peer was turned away.</exception>
    public static async ValueTask<OpenConnection> AcceptAsync(
        IDuplexConnection accepted,
        PeerRole role,
        string ownId,
        string? refusal,
        Func<string, CancellationToken, ValueTask> admit,
        ListenOptions options,
        CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.HandshakeTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IDuplexConnection connection = accepted;
        FrameSource? source = null;
        try
        {
            if (options.Tls is not null)
                connection = await TlsConnection.AcceptAsync(connection, options.Tls, either.Token).ConfigureAwait(false);
            source = new FrameSource(connection, options.TimeProvider);
            var handshake = new Handshake(connection, source, role, options);
            try
            {
                if (refusal is not null)
                    throw new EdgeSplitException(EdgeSplitError.Overloaded, refusal);
                return new OpenConnection(connection, source, await handshake.AcceptAsync(ownId, admit, either.Token).ConfigureAwait(false));
            }
            catch (EdgeSplitException reason)
            {
                await handshake.RefuseAsync(reason, options.TimeProvider).ConfigureAwait(false);
                throw;
            }
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            source?.Dispose();
            throw;
        }
    }
}

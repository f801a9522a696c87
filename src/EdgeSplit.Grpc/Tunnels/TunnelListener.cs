using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace EdgeSplit.Grpc.Tunnels;

/// <summary>Gives Kestrel the connections that an agent has made itself, in place of a port that it listens on.</summary>
internal sealed class TunnelListener : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();

    public EndPoint EndPoint { get; } = new TunnelEndPoint();

    /// <summary>Serves a connection until it has ended.</summary>
    public async Task ServeAsync(TunnelStream stream)
    {
        // A stream that is read or written after its call has ended fails; the pipes pass that on.
        var transport = new Pipes(PipeReader.Create(stream), PipeWriter.Create(stream));
        var connection = new TunnelConnection(transport);
        if (!_connections.Writer.TryWrite(connection))
            return;
        await connection.Disposed.ConfigureAwait(false);
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => ValueTask.FromResult<IConnectionListener>(this);

    public bool CanBind(EndPoint endpoint) => endpoint is TunnelEndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _connections.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_connections.Reader.TryRead(out ConnectionContext? connection))
                return connection;
        }
        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _connections.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class TunnelEndPoint : EndPoint
    {
        public override string ToString() => "tunnel";
    }

    private sealed class TunnelConnection(IDuplexPipe transport) : DefaultConnectionContext(Guid.NewGuid().ToString("N"), transport, transport)
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Disposed => _disposed.Task;

        public override void Abort(ConnectionAbortedException abortReason)
        {
            base.Abort(abortReason);
            Transport.Input.CancelPendingRead();
            Transport.Output.CancelPendingFlush();
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync().ConfigureAwait(false);
            _disposed.TrySetResult();
        }
    }
}

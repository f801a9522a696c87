using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Grpc.Serving;
using EdgeSplit.Grpc.Tunnels;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc;

/// <summary>
/// Serves one agent to a coordinator that it calls, for agents that nobody can connect to: behind a router, or at changing
/// addresses. The coordinator takes it with a <see cref="GrpcAgentListener"/>, and knows it again by its id.
/// </summary>
/// <remarks>
/// When a connection ends, what runs for it is cancelled and what was loaded through it is unloaded; then the next is made, after
/// a wait that grows while that fails. The agent listens on no port. It stays the caller's.
/// </remarks>
public sealed class GrpcAgentDialer
{
    private readonly IEdgeAgent _agent;
    private readonly string _coordinator;
    private readonly GrpcAgentDialerOptions _options;
    private readonly ILogger _logger;

    /// <summary>Creates a dialer that does not dial yet.</summary>
    /// <param name="agent">The agent; borrowed.</param>
    /// <param name="coordinator">Where the coordinator answers gRPC, such as <c>https://coordinator.local:8001</c>.</param>
    /// <param name="options">How to connect; null for the defaults.</param>
    public GrpcAgentDialer(IEdgeAgent agent, string coordinator, GrpcAgentDialerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(coordinator);
        _agent = agent;
        _coordinator = coordinator;
        _options = options ?? new GrpcAgentDialerOptions();
        _logger = _options.CreateLogger<GrpcAgentDialer>();
    }

    /// <summary>Keeps the agent connected until cancelled; what it had loaded is then unloaded.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="EdgeSplitException">The first connection is refused in a way that waiting does not mend:
    /// <see cref="EdgeSplitError.AccessDenied"/>: wrong token or certificate; <see cref="EdgeSplitError.InvalidArgument"/>: not an
    /// address, or another agent of that id is connected; <see cref="EdgeSplitError.ProtocolViolation"/>: no coordinator that takes agents answers there.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var listener = new TunnelListener();
        await using WebApplication server = AgentApplication.Create(_agent, _options.ForService(), web =>
        {
            web.ConfigureServices(services => services.AddSingleton<IConnectionListenerFactory>(listener));
            web.ConfigureKestrel(kestrel => kestrel.Listen(listener.EndPoint, static listen => listen.Protocols = HttpProtocols.Http2));
        });
        await server.StartAsync(cancellationToken).ConfigureAwait(false);
        using GrpcChannel channel = Channels.Create(_coordinator, _options);
        var client = new V1.Tunnel.TunnelClient(channel);
        var backoff = new Backoff(_options.RetryDelay, _options.MaxRetryDelay);
        bool wasConnected = false;
        try
        {
            while (true)
            {
                string reason;
                long started = _options.TimeProvider.GetTimestamp();
                try
                {
                    reason = await ServeOnceAsync(client, listener, () => wasConnected = true, cancellationToken).ConfigureAwait(false);
                    backoff.Connected(_options.TimeProvider.GetElapsedTime(started));
                }
                catch (EdgeSplitException exception) when (wasConnected || exception.IsTransient)
                {
                    reason = exception.Message;
                }
                cancellationToken.ThrowIfCancellationRequested();
                TimeSpan delay = backoff.Next();
                GrpcLog.Retrying(_logger, _coordinator, reason, delay);
                _options.Progress?.Report(new DialProgress(false, reason, delay));
                await Task.Delay(delay, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            await server.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Joins once, and returns why that ended.</summary>
    private async Task<string> ServeOnceAsync(V1.Tunnel.TunnelClient client, TunnelListener listener, Action joined, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Metadata headers = Channels.HeadersOf(_options);
        headers.Add(TunnelService.AgentIdHeader, _agent.Id);
        using AsyncDuplexStreamingCall<V1.TunnelBytes, V1.TunnelBytes> call = client.Join(headers, cancellationToken: ending.Token);
        await using var stream = new TunnelStream(call.ResponseStream, message => call.RequestStream.WriteAsync(message));
        Task serving = listener.ServeAsync(stream);
        using var timeout = new CancellationTokenSource(_options.ConnectTimeout, _options.TimeProvider);
        using (timeout.Token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), ending))
        {
            if (await Task.WhenAny(stream.Opened, serving).ConfigureAwait(false) == stream.Opened)
            {
                timeout.CancelAfter(Timeout.InfiniteTimeSpan);
                joined();
                GrpcLog.Joined(_logger, _agent.Id, _coordinator);
                _options.Progress?.Report(new DialProgress(true, "", TimeSpan.Zero));
            }
            await Task.WhenAny(serving, stream.Ended).ConfigureAwait(false);
        }
        // Ending the call makes reads fail too, which is not why it ended.
        Exception? cause = stream.Failure;
        await ending.CancelAsync().ConfigureAwait(false);
        await serving.ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (timeout.IsCancellationRequested && !stream.Opened.IsCompleted)
            throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"'{_coordinator}' did not answer within {_options.ConnectTimeout}. Is a coordinator running there that takes agents?");
        return cause is RpcException failure
            ? throw failure.ToEdgeSplitException($"'{_coordinator}'")
            : "The coordinator has ended the connection.";
    }
}

using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting.Connections;
using EdgeSplit.Hosting.Telemetry;
using EdgeSplit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Coordination;

/// <summary>Brings agents to an application's coordinator, deploys its models, and lets requests end before it stops.</summary>
internal sealed class CoordinatorHostedService(
    IServiceProvider provider, Coordinator coordinator, DeployedModels models, CoordinatorServing serving, ClusterMetrics metrics, HostedParts parts, ILogger<CoordinatorHostedService> logger)
    : IHostedService
{
    // An agent that turns the coordinator away has to be set up anew, which takes people a while.
    private static readonly TimeSpan RefusedDelay = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running = [];
    private AgentListener? _listener;
    private GrpcAgentListener? _grpcListener;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        metrics.Start();
        await models.ReadStoredAsync(cancellationToken).ConfigureAwait(false);
        foreach (IEdgeAgent agent in provider.GetServices<IEdgeAgent>())
            await coordinator.AddAgentAsync(agent, cancellationToken).ConfigureAwait(false);
        if (parts.UsesTcp && provider.GetRequiredService<IOptions<TcpHostOptions>>().Value is { } tcp)
        {
            if (tcp.Listen is not null)
            {
                _listener = new AgentListener(TcpConnections.ForJoining(provider));
                await _listener.StartAsync(cancellationToken).ConfigureAwait(false);
                serving.JoinEndPoint = _listener.EndPoint;
                HostingLog.Listening(logger, coordinator.Options.Id, HostAndPort.Format(_listener.EndPoint));
                _running.Add(TakeAllAsync(_listener.AcceptAllAsync(_stopping.Token)));
            }
            RemoteEdgeAgentOptions options = TcpConnections.ForConnecting(provider);
            foreach (string address in tcp.Agents)
                _running.Add(KeepAsync(address, () => RemoteEdgeAgent.KeepConnectedAsync(HostAndPort.Parse(address), options, _stopping.Token)));
        }
        if (parts.UsesGrpc)
        {
            GrpcConnectOptions options = GrpcConnections.ForConnecting(provider);
            foreach (string address in provider.GetRequiredService<IOptions<GrpcHostOptions>>().Value.Agents)
                _running.Add(KeepAsync(address, () => GrpcEdgeAgent.KeepConnectedAsync(address, options, _stopping.Token)));
            _grpcListener = GrpcConnections.ListenerOf(provider);
            if (_grpcListener is not null)
                _running.Add(TakeAllAsync(_grpcListener.AcceptAllAsync(_stopping.Token)));
        }
        _running.Add(models.StartAsync(_stopping.Token));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        HostingLog.Draining(logger, coordinator.InFlightRequests);
        await _stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await Task.WhenAll(_running).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_listener is not null)
                await _listener.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            if (_grpcListener is not null)
                await _grpcListener.DisposeAsync().ConfigureAwait(false);
            await coordinator.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            HostingLog.DrainCutShort(logger);
        }
    }

    /// <summary>Takes an agent each time that it connects; one that turns the coordinator away is tried again too, less often.</summary>
    private async Task KeepAsync(string address, Func<IAsyncEnumerable<IEdgeAgent>> connect)
    {
        await Task.Yield();
        try
        {
            while (true)
            {
                try
                {
                    await TakeAllAsync(connect()).ConfigureAwait(false);
                }
                catch (EdgeSplitException exception)
                {
                    HostingLog.AgentRefused(logger, address, RefusedDelay, exception);
                }
                await Task.Delay(RefusedDelay, coordinator.Options.TimeProvider, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Being stopped is how it ends.
        }
    }

    private async Task TakeAllAsync(IAsyncEnumerable<IEdgeAgent> agents)
    {
        await foreach (IEdgeAgent agent in agents.ConfigureAwait(false))
        {
            try
            {
                await coordinator.AddAgentAsync(agent, _stopping.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is EdgeSplitException or ObjectDisposedException)
            {
                HostingLog.AgentNotTaken(logger, agent.Id, exception.Message);
                await agent.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}

using EdgeSplit.Agents;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting.Connections;
using EdgeSplit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Agents;

/// <summary>Lets coordinators use an application's agent while the application runs.</summary>
internal sealed class AgentHostedService(
    IServiceProvider provider, EdgeAgent agent, AgentServing serving, HostedParts parts, IHostApplicationLifetime lifetime, ILogger<AgentHostedService> logger)
    : IHostedService
{
    private readonly CancellationTokenSource _stopping = new();
    private AgentServer? _tcpServer;
    private GrpcAgentServer? _grpcServer;
    private readonly List<Task> _joining = [];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        serving.Problem = null;
        // The coordinator of this application was given the agent in the process.
        if (!parts.ServesAgent)
            return;
        if (parts.UsesTcp && provider.GetRequiredService<IOptions<TcpHostOptions>>().Value is { } tcp)
        {
            if (tcp.Listen is not null)
            {
                _tcpServer = new AgentServer(agent, TcpConnections.ForCoordinators(provider));
                await _tcpServer.StartAsync(cancellationToken).ConfigureAwait(false);
                serving.TcpEndPoint = _tcpServer.EndPoint;
            }
            if (tcp.Join is not null)
            {
                serving.Problem = $"The agent has not joined the coordinator at {tcp.Join} yet.";
                var dialer = new AgentDialer(agent, HostAndPort.Parse(tcp.Join), TcpConnections.ForDialling(provider, _tcpServer?.PeerAddress, new Progress(this, tcp.Join)));
                _joining.Add(JoinAsync(tcp.Join, dialer.RunAsync));
            }
        }
        if (parts.UsesGrpc && provider.GetRequiredService<IOptions<GrpcHostOptions>>().Value is { } grpc)
        {
            if (grpc.Listen is not null)
            {
                _grpcServer = new GrpcAgentServer(agent, GrpcConnections.ForListening(provider));
                await _grpcServer.StartAsync(cancellationToken).ConfigureAwait(false);
                serving.GrpcAddress = _grpcServer.Address;
            }
            if (grpc.Join is not null)
            {
                serving.Problem = $"The agent has not joined the coordinator at {grpc.Join} yet.";
                var dialer = new GrpcAgentDialer(agent, grpc.Join, GrpcConnections.ForDialling(provider, new Progress(this, grpc.Join)));
                _joining.Add(JoinAsync(grpc.Join, dialer.RunAsync));
            }
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        serving.Problem = "The agent is stopping.";
        await _stopping.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_joining).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_tcpServer is not null)
            await _tcpServer.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_grpcServer is not null)
            await _grpcServer.DisposeAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        HostingLog.AgentStopped(logger, agent.Id);
    }

    private async Task JoinAsync(string coordinator, Func<CancellationToken, Task> dialAsync)
    {
        await Task.Yield();
        try
        {
            await dialAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Being stopped is how it ends.
        }
        catch (EdgeSplitException exception)
        {
            // Waiting does not mend it, and an agent that cannot join is of no use.
            serving.Problem = exception.Message;
            HostingLog.JoinRefused(logger, agent.Id, coordinator, exception);
            lifetime.StopApplication();
        }
    }

    private sealed class Progress(AgentHostedService service, string coordinator) : IProgress<DialProgress>
    {
        public void Report(DialProgress value) =>
            service.Serving.Problem = value.IsConnected ? null : $"The agent is not connected to the coordinator at {coordinator}: {value.Reason}";
    }

    private AgentServing Serving => serving;
}

using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Transport;

namespace EdgeSplit.Tool;

/// <summary>Brings agents to a coordinator, those that are connected to and those that join, and brings them back when they were lost.</summary>
internal sealed class FleetConnection(Coordinator coordinator) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _watching = [];
    private AgentListener? _listener;

    /// <summary>Connects to an agent over TCP, and again whenever it is lost.</summary>
    public async Task ConnectAsync(EndPoint endPoint, RemoteEdgeAgentOptions options, CancellationToken cancellationToken)
    {
        RemoteEdgeAgent agent = await RemoteEdgeAgent.ConnectAsync(endPoint, options, cancellationToken);
        await AddAsync(agent, cancellationToken);
        _watching.Add(KeepAsync(agent.Disconnected, RemoteEdgeAgent.KeepConnectedAsync(endPoint, options, _stopping.Token), static agent => agent.Address));
    }

    /// <summary>Connects to an agent over gRPC, and again whenever it is lost.</summary>
    public async Task ConnectAsync(string address, GrpcConnectOptions options, CancellationToken cancellationToken)
    {
        GrpcEdgeAgent agent = await GrpcEdgeAgent.ConnectAsync(address, options, cancellationToken);
        await AddAsync(agent, cancellationToken);
        _watching.Add(KeepAsync(agent.Disconnected, GrpcEdgeAgent.KeepConnectedAsync(address, options, _stopping.Token), static agent => agent.Address));
    }

    /// <summary>Listens for agents, waits until some have joined, and takes all that join later.</summary>
    public async Task ListenAsync(AgentListenerOptions options, int expected, CancellationToken cancellationToken)
    {
        _listener = new AgentListener(options);
        await _listener.StartAsync(cancellationToken);
        Console.Error.WriteLine($"listening on {HostAndPort.Format(_listener.EndPoint)} for {expected} agents to join");
        for (int joined = 0; joined < expected; joined++)
            await AddAsync(await _listener.AcceptAsync(cancellationToken), cancellationToken);
        _watching.Add(AddAllAsync(_listener.AcceptAllAsync(_stopping.Token), static agent => agent.Address));
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_listener is not null)
            await _listener.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task KeepAsync<TAgent>(Task disconnected, IAsyncEnumerable<TAgent> again, Func<TAgent, string> addressOf)
        where TAgent : IEdgeAgent
    {
        await disconnected.WaitAsync(_stopping.Token);
        await AddAllAsync(again, addressOf);
    }

    private async Task AddAllAsync<TAgent>(IAsyncEnumerable<TAgent> agents, Func<TAgent, string> addressOf)
        where TAgent : IEdgeAgent
    {
        await foreach (TAgent agent in agents)
        {
            try
            {
                await AddAsync(agent, _stopping.Token);
                Console.Error.WriteLine($"agent '{agent.Id}' has joined from {addressOf(agent)}");
            }
            catch (EdgeSplitException exception)
            {
                Console.Error.WriteLine($"agent '{agent.Id}' at {addressOf(agent)} was not taken: {exception.Message}");
            }
        }
    }

    private async Task AddAsync(IEdgeAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            await coordinator.AddAgentAsync(agent, cancellationToken);
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }
}

using System.CommandLine;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Transport;

namespace EdgeSplit.Tool.Commands;

/// <summary>Which agents a command works with: those that it connects to, and those that join it.</summary>
internal sealed class FleetArguments
{
    private readonly Option<string[]> _agents = SharedArguments.Agents();
    private readonly Option<string> _listen = new("--listen") { Description = "Listen here for agents that join ('edgesplit agent --join').", HelpName = "HOST:PORT" };
    private readonly Option<int> _expect = SharedArguments.Count("--expect", 1, 1, "Begin when so many agents have joined.");
    private readonly SecurityArguments _security = new();

    public FleetArguments()
    {
        _listen.Validators.Add(SharedArguments.CheckAddresses);
    }

    public void AddTo(Command command)
    {
        command.Add(_agents);
        command.Add(_listen);
        command.Add(_expect);
        _security.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_agents) is not { Length: > 0 } && result.GetValue(_listen) is null)
                result.AddError("No agents: give --agent ADDRESS for each one to connect to, or --listen HOST:PORT for those that join.");
        });
    }

    /// <summary>Gives a coordinator its agents, and each of them again when it comes back, until the result is disposed of.</summary>
    public async Task<FleetConnection> ConnectAsync(ParseResult result, Coordinator coordinator, CancellationToken cancellationToken)
    {
        var connection = new FleetConnection(coordinator);
        try
        {
            var options = new RemoteEdgeAgentOptions { JoinToken = _security.Token(result), Tls = _security.ForConnecting(result) };
            foreach (string address in result.GetValue(_agents) ?? [])
            {
                await (SharedArguments.IsGrpc(address)
                    ? connection.ConnectAsync(address, _security.ForGrpc<GrpcConnectOptions>(result), cancellationToken)
                    : connection.ConnectAsync(HostAndPort.Parse(address), options, cancellationToken));
            }
            if (result.GetValue(_listen) is { } endPoint)
            {
                var listenerOptions = new AgentListenerOptions
                {
                    EndPoint = HostAndPort.Parse(endPoint),
                    JoinToken = _security.Token(result),
                    Tls = _security.ForListening(result),
                    DangerouslyAllowUnauthenticatedRemoteConnections = _security.AllowsStrangers(result),
                };
                await connection.ListenAsync(listenerOptions, result.GetValue(_expect), cancellationToken);
            }
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

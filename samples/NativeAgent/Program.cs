// An agent small enough for a device without .NET: published with native AOT it is one executable beside ONNX Runtime's library.
using EdgeSplit;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Transport;
using EdgeSplit.Transport.Security;

if (args is not [("listen" or "join") and var mode, var address, var id])
{
    Console.Error.WriteLine("Usage: NativeAgent listen|join HOST:PORT ID      (a join token's file: EDGESPLIT_TOKEN_FILE)");
    return 2;
}
using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, stop) =>
{
    stop.Cancel = true;
    stopping.Cancel();
};
JoinToken? token = Environment.GetEnvironmentVariable("EDGESPLIT_TOKEN_FILE") is { } file ? new JoinToken(File.ReadAllText(file).Trim()) : null;
await using var peers = new TcpAgentPeers(new RemoteEdgeAgentOptions { JoinToken = token, ConnectTimeout = TcpAgentPeers.DefaultConnectTimeout });
await using var agent = new EdgeAgent(id, new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }), new EdgeAgentOptions { Peers = peers });
try
{
    if (mode == "join")
    {
        await new AgentDialer(agent, HostAndPort.Parse(address), new AgentDialerOptions { JoinToken = token }).RunAsync(stopping.Token);
    }
    else
    {
        await using var server = new AgentServer(agent, new AgentServerOptions { EndPoint = HostAndPort.Parse(address), JoinToken = token });
        await server.StartAsync(stopping.Token);
        Console.WriteLine($"agent '{agent.Id}' listening on {HostAndPort.Format(server.EndPoint)}");
        await Task.Delay(Timeout.Infinite, stopping.Token);
    }
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // Being stopped is how an agent ends.
}
catch (EdgeSplitException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}
return 0;

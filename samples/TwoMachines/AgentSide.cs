using EdgeSplit.Agents;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Transport;
using EdgeSplit.Transport.Security;

namespace TwoMachines;

/// <summary>What runs on the device.</summary>
internal static class AgentSide
{
    public static async Task RunAsync(string address, Secrets secrets)
    {
        using var stopping = new CancellationTokenSource();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            stopping.Cancel();
        };
        await using var agent = new EdgeAgent("device", new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }));
        await using var server = new AgentServer(agent, new AgentServerOptions
        {
            EndPoint = HostAndPort.Parse(address),
            JoinToken = secrets.Token,
            // Both sides show a certificate, so that neither talks to a stranger even if the token is found out.
            Tls = new TlsServerOptions { Certificate = secrets.Certificate, ClientAuthorities = secrets.Authorities },
        });
        await server.StartAsync();
        Console.WriteLine($"agent '{agent.Id}' listening on {HostAndPort.Format(server.EndPoint)}");
        try
        {
            await Task.Delay(Timeout.Infinite, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine($"agent '{agent.Id}' ends");
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Transport;

namespace EdgeSplit.Benchmarks.Costs;

/// <summary>An agent in a process of its own that is tied to one core with <c>taskset</c>.</summary>
internal sealed class OneCoreAgent : IAsyncDisposable
{
    public const string Verb = "one-core-agent";

    private readonly Process _process;

    private OneCoreAgent(Process process, IPEndPoint address)
    {
        _process = process;
        Address = address;
    }

    public IPEndPoint Address { get; }

    /// <summary>The processor time that its process has taken so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<OneCoreAgent> StartAsync(int core)
    {
        var start = new ProcessStartInfo("taskset") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in (string[])["-c", core.ToString(CultureInfo.InvariantCulture), .. SelfStart.Command(Verb, $"core-{core}")])
            start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        string line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The agent's process ended.");
        return new OneCoreAgent(process, IPEndPoint.Parse(line));
    }

    /// <summary>The agent's process: serves until its standard input ends.</summary>
    public static async Task<int> ServeAsync(string id)
    {
        await using var peers = new TcpAgentPeers();
        await using var agent = new EdgeAgent(id, new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }), new EdgeAgentOptions { Peers = peers });
        await using var server = new AgentServer(agent, new AgentServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0) });
        await server.StartAsync(CancellationToken.None);
        Console.Out.WriteLine(server.EndPoint);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

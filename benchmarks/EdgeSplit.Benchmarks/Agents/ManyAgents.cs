using System.Diagnostics;
using System.Globalization;
using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Benchmarks.Transport;
using EdgeSplit.Tensors;
using EdgeSplit.Transport;

namespace EdgeSplit.Benchmarks.Agents;

/// <summary>
/// A thousand agents, in a process of their own, that have joined one coordinator and report every second: what that costs the
/// coordinator, and how late reports are, alone and while large tensors flow both ways on some of the same connections.
/// </summary>
internal static class ManyAgents
{
    private const int FlowingAgents = 4;
    private const int FlowBytes = 64 << 20;
    private const int ReportsPerSecondBesideFlow = 20;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    // The default keeps 256 MiB, a little less than four of these tensors.
    private static readonly TensorBufferPool Pool = new(1L << 30);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>Runs the coordinator, and the agents as a child process.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        int count = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1000;
        var options = new AgentListenerOptions { MaxConnections = 2 * count, MaxConnectionsPerPeer = 2 * count, MaxNewConnectionsPerPeerAndMinute = int.MaxValue, Pool = Pool };
        await using var listener = new AgentListener(options);
        await listener.StartAsync();
        (long memoryBefore, long managedBefore) = Memory();
        string[] command = SelfStart.Command("agents-child", HostAndPort.Format(listener.EndPoint), $"{count}");
        using Process child = Process.Start(command[0], command[1..]);
        try
        {
            long started = Stopwatch.GetTimestamp();
            var agents = new List<RemoteEdgeAgent>();
            while (agents.Count < count)
                agents.Add(await listener.AcceptAsync());
            double joinSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await ReportAsync(agents, TimeSpan.FromSeconds(3), 1);
            (long memory, long managed) = Memory();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{count} agents joined in {joinSeconds:0.0} s; each takes {(memory - memoryBefore) / 1024.0 / count:0.0} KiB of the process's memory, {(managed - managedBefore) / 1024.0 / count:0.0} KiB of it managed."));
            Console.WriteLine("| | reports | CPU of one core | late ms, median | 99 % | most | tensors MB/s |");
            Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            await MeasureAsync("all report every second", agents, 1, []);
            RemoteEdgeAgent[] flowing = [.. agents.Take(FlowingAgents)];
            await MeasureAsync("the same while 64 MiB tensors flow both ways on four of them", agents, 1, flowing);
            await MeasureAsync("the four alone, each reporting 20 times a second", [.. flowing], ReportsPerSecondBesideFlow, flowing);
            await Task.WhenAll(agents.Select(static agent => agent.DisposeAsync().AsTask()));
            return 0;
        }
        finally
        {
            child.Kill();
            await child.WaitForExitAsync();
        }
    }

    /// <summary>Runs agents that join and serve until the process is ended.</summary>
    public static async Task<int> RunChildAsync(string coordinator, string count)
    {
        byte[] bytes = new byte[FlowBytes];
        new Random(1).NextBytes(bytes);
        Tensor answer = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(FlowBytes), bytes);
        EndPoint endPoint = HostAndPort.Parse(coordinator);
        await Task.WhenAll(Enumerable.Range(0, int.Parse(count, CultureInfo.InvariantCulture)).Select(
            index => new AgentDialer(new EchoAgent(answer, $"agent-{index}"), endPoint, new AgentDialerOptions { Pool = Pool }).RunAsync(CancellationToken.None)));
        return 0;
    }

    private static async Task MeasureAsync(string name, IReadOnlyList<RemoteEdgeAgent> agents, int reportsPerSecond, RemoteEdgeAgent[] flowing)
    {
        using var stopping = new CancellationTokenSource();
        Task<long>[] flows = [.. flowing.Select(agent => FlowAsync(agent, stopping.Token))];
        if (flows.Length > 0)
            await Task.Delay(WarmUp);
        using var self = Process.GetCurrentProcess();
        TimeSpan cpu = self.TotalProcessorTime;
        List<double> late = await ReportAsync(agents, Duration, reportsPerSecond);
        self.Refresh();
        double share = (self.TotalProcessorTime - cpu) / Duration;
        await stopping.CancelAsync();
        long flown = (await Task.WhenAll(flows)).Sum();
        late.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {late.Count} | {share:0.0%} | {late[late.Count / 2]:0.00} | {late[(int)(late.Count * 0.99)]:0.0} | {late[^1]:0.0} | {flown / (Duration + (flows.Length > 0 ? WarmUp : default)).TotalSeconds / 1e6:0} |"));
    }

    /// <summary>Asks every agent at its own moment of each period; the milliseconds from when it was to be asked until its report is there.</summary>
    private static async Task<List<double>> ReportAsync(IReadOnlyList<RemoteEdgeAgent> agents, TimeSpan duration, int reportsPerSecond)
    {
        var late = new List<double>();
        var asked = new List<Task>();
        using var timer = new PeriodicTimer(Tick);
        long started = Stopwatch.GetTimestamp();
        int next = 0;
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            await timer.WaitForNextTickAsync();
            for (; Due(next) <= Stopwatch.GetElapsedTime(started) && Due(next) < duration; next++)
                asked.Add(AskAsync(agents[next % agents.Count], Due(next)));
        }
        await Task.WhenAll(asked);
        return late;

        TimeSpan Due(int report) => TimeSpan.FromSeconds((double)report / agents.Count / reportsPerSecond);

        async Task AskAsync(RemoteEdgeAgent agent, TimeSpan due)
        {
            await agent.ReportAsync(CancellationToken.None);
            double milliseconds = (Stopwatch.GetElapsedTime(started) - due).TotalMilliseconds;
            lock (late)
                late.Add(milliseconds);
        }
    }

    private static async Task<long> FlowAsync(RemoteEdgeAgent agent, CancellationToken stopping)
    {
        byte[] bytes = new byte[FlowBytes];
        new Random(2).NextBytes(bytes);
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(FlowBytes), bytes) };
        long flown = 0;
        while (!stopping.IsCancellationRequested)
        {
            using PartialResult result = await agent.ExecuteAsync(new InferenceRequest(Guid.Empty, "p", inputs), CancellationToken.None);
            flown += 2L * FlowBytes;
        }
        return flown;
    }

    private static (long Process, long Managed) Memory()
    {
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        using var self = Process.GetCurrentProcess();
        return (self.WorkingSet64, managed);
    }
}

// Changes the conditions while requests run, and prints what the coordinator notices, decides and does: a device that becomes slow,
// an agent that is lost, and one that comes.
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Costs;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Transport;
using LiveAdaptation;
using Spectre.Console;

DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-live-");
try
{
    string model = Path.Combine(folder.FullName, "mobilenetv2.onnx");
    Zoo.Get("mobilenetv2").Write(model);

    var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
    // Slowed so far that both look the same on whatever machine this runs, and that what they wait for is mostly not the processor.
    var camera = new SlowedPartitionRuntime(runtime, 6);
    await using var coordinator = new Coordinator(new OnnxModelFormat(), new CoordinatorOptions
    {
        CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
        Adaptation = new AdaptationOptions
        {
            // A shorter wait than a real system would want, so that there is something to see within a minute.
            Policy = new PayoffPolicy { DwellTime = TimeSpan.FromSeconds(1) },
            // All agents share this machine, and each takes the others' work for that of other programs: not noticed here.
            OtherLoadChange = 10,
        },
    });
    coordinator.AgentChanged += (_, status) => AnsiConsole.MarkupLineInterpolated($"  [grey]agent {status.Id}: {status.State}[/] {status.Reason}");
    coordinator.DecisionMade += (_, decision) => AnsiConsole.MarkupLineInterpolated(
        $"  [bold]{decision.Trigger}[/]: {decision.Cause} {decision.Reason} [bold]{(decision.Switched ? $"Switched to plan {decision.Epoch} in {decision.Elapsed.TotalMilliseconds:0} ms." : "Stayed.")}[/]");
    await coordinator.AddAgentAsync(new EdgeAgent("camera", camera));
    // The gateway is reached over TCP, so that its connection can break.
    await using var gatewayAgent = new EdgeAgent("gateway", new SlowedPartitionRuntime(runtime, 6));
    await using var gatewayServer = new AgentServer(gatewayAgent);
    await gatewayServer.StartAsync();
    await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(gatewayServer.EndPoint));
    await using Deployment deployment = await coordinator.DeployAsync(model);
    await using var load = new SteadyLoad(deployment, inFlight: 4);

    var show = new Show(coordinator, deployment, load);
    await show.PlayAsync("Both devices are equally fast.");
    await show.PlayAsync("The camera becomes four times slower.", RepartitionTrigger.StageTime, () =>
    {
        camera.Factor = 24;
        return Task.CompletedTask;
    });
    await show.PlayAsync("The gateway's process ends.", RepartitionTrigger.AgentWent, async () => await gatewayServer.DisposeAsync());
    await show.PlayAsync("A new agent comes.", RepartitionTrigger.AgentCame, async () => await coordinator.AddAgentAsync(new EdgeAgent("sensor", new SlowedPartitionRuntime(runtime, 6))));
    await load.StopAsync();

    AnsiConsole.MarkupLineInterpolated($"{load.Completed} requests completed, [bold]{load.Failed} failed[/], {coordinator.Decisions.Count(static decision => decision.Switched)} switches");
    return load.Failed == 0 ? 0 : 1;
}
finally
{
    folder.Delete(recursive: true);
}

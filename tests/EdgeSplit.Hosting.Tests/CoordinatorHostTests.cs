using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Hosting.Tests;

/// <summary>Coordinators and agents in workers and web applications.</summary>
internal sealed class CoordinatorHostTests
{
    [Test]
    public async Task Worker_withCoordinatorAndAgents_servesFromConfiguration()
    {
        using IHost host = await Hosts.StartWorkerAsync(
            static edgeSplit =>
            {
                edgeSplit.AddCoordinator(static options => options.Customize = static coordinator => coordinator with { Partitioner = FixedPartitioner.RoundRobin }).AddAgent();
                edgeSplit.Services.AddSingleton<IEdgeAgent>(static provider => new EdgeAgent("second", provider.GetRequiredService<IPartitionRuntime>()));
            },
            null,
            ("EdgeSplit:Coordinator:Models:0:Model", "chain"),
            ("EdgeSplit:Coordinator:Models:0:Name", "served"),
            ("EdgeSplit:Coordinator:MinimumAgents", "2"),
            ("EdgeSplit:Agent:Id", "first"));
        Deployment deployment = await host.Services.GetRequiredService<DeployedModels>().GetAsync("served").AsTask().WaitAsync(Hosts.Limit);
        await InferAsync(deployment);
        Assert.That(deployment.Plan.Fleet.Devices.Select(static device => device.Id), Is.EquivalentTo(["first", "second"]));
        await host.StopAsync();
    }

    [Test]
    public async Task Coordinator_usesAgentsThatJoinAndAgentsThatItDials_overTcpAndGrpc()
    {
        using IHost tcp = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "dialled-tcp").UseTcp(static options => options.Listen = "127.0.0.1:0"));
        using IHost grpc = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "dialled-grpc").UseGrpc(static options => options.Listen = "127.0.0.1:0"));
        string tcpAddress = HostAndPort.Format(tcp.Services.GetRequiredService<AgentServing>().TcpEndPoint!);
        string grpcAddress = grpc.Services.GetRequiredService<AgentServing>().GrpcAddress!;
        await using WebApplication coordinator = await Hosts.StartWebAsync(
            edgeSplit => edgeSplit
                .AddCoordinator(static options => Hosts.SpreadOver(options, 4))
                .UseTcp(options =>
                {
                    options.Listen = "127.0.0.1:0";
                    options.Agents.Add(tcpAddress);
                })
                .UseGrpc(options =>
                {
                    options.TakesAgents = true;
                    options.Agents.Add(grpcAddress);
                }),
            static application => application.MapEdgeSplit());
        string join = HostAndPort.Format(coordinator.Services.GetRequiredService<CoordinatorServing>().JoinEndPoint!);
        using IHost joining = await Hosts.StartWorkerAsync(edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "joined-tcp").UseTcp(options => (options.Join, options.Listen) = (join, "127.0.0.1:0")));
        string joinGrpc = coordinator.GrpcAddress();
        using IHost joiningGrpc = await Hosts.StartWorkerAsync(edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "joined-grpc").UseGrpc(options => options.Join = joinGrpc));

        Deployment deployment = await coordinator.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        FinalResult result = await InferAsync(deployment);
        Assert.That(result.Stages.Select(static stage => stage.AgentId).Distinct(), Is.EquivalentTo(["dialled-tcp", "dialled-grpc", "joined-tcp", "joined-grpc"]));
        Assert.That(
            coordinator.Services.GetRequiredService<Coordinator>().Agents.Single(static agent => agent.Device.Id == "joined-tcp").Address,
            Is.EqualTo(HostAndPort.Format(joining.Services.GetRequiredService<AgentServing>().TcpEndPoint!)));
        using var client = new GrpcInferenceClient(coordinator.GrpcAddress());
        Assert.That((await client.ListModelsAsync()).Single().Name, Is.EqualTo("chain"));

        await coordinator.StopAsync();
        await Task.WhenAll(tcp.StopAsync(), grpc.StopAsync(), joining.StopAsync(), joiningGrpc.StopAsync());
    }

    [Test]
    public async Task Ready_isTrueWhileEachModelsAgentsCanBeReached()
    {
        using IHost first = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "first").UseTcp(static options => options.Listen = "127.0.0.1:0"));
        string address = HostAndPort.Format(first.Services.GetRequiredService<AgentServing>().TcpEndPoint!);
        await using WebApplication application = await Hosts.StartWebAsync(
            edgeSplit => edgeSplit.AddCoordinator(static options => Hosts.SpreadOver(options, 2)).UseTcp(options =>
            {
                options.Listen = "127.0.0.1:0";
                options.Agents.Add(address);
            }),
            static application => application.MapEdgeSplitHealth());
        using var client = new HttpClient { BaseAddress = new Uri(application.HttpAddress()) };
        Assert.That((await client.GetAsync("/healthz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await ReadyAsync(client), Does.Contain("'chain' is not served"));

        string join = HostAndPort.Format(application.Services.GetRequiredService<CoordinatorServing>().JoinEndPoint!);
        using IHost second = await Hosts.StartWorkerAsync(edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "second").UseTcp(options => options.Join = join));
        await application.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        Assert.That(await ReadyAsync(client), Is.Empty);

        // Without any agent nothing can take the stages over.
        Task lost = LostAsync(application.Services.GetRequiredService<Coordinator>(), 2);
        await Task.WhenAll(first.StopAsync(), second.StopAsync());
        await lost.WaitAsync(Hosts.Limit);
        Assert.That(await ReadyAsync(client), Does.Contain("cannot be reached"));
        Assert.That((await client.GetAsync("/healthz")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Stop_letsRequestsUnderWayEnd()
    {
        var runtime = new FakePartitionRuntime();
        using IHost host = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit.AddCoordinator(static options => Hosts.SpreadOver(options, 1)).AddAgent(), runtime);
        Deployment deployment = await host.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        using var gate = new Gate();
        runtime.Executing = gate.Pass;
        Task<FinalResult> running = deployment.InferAsync(Hosts.Model.RandomInputs(0)).AsTask();
        await gate.Reached.WaitAsync(Hosts.Limit);
        Task stopping = host.StopAsync();
        Assert.That(stopping.IsCompleted, Is.False);
        gate.Open();
        (await running.WaitAsync(Hosts.Limit)).Dispose();
        await stopping.WaitAsync(Hosts.Limit);
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Load_andUnload_changeWhatIsServed()
    {
        using IHost host = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit.AddCoordinator().AddAgent());
        DeployedModels models = host.Services.GetRequiredService<DeployedModels>();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => models.GetAsync("chain").AsTask());
        await InferAsync(await models.LoadAsync("chain"));
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidArgument, () => models.LoadAsync("chain").AsTask());
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => models.LoadAsync("nothing").AsTask());
        await models.UnloadAsync("chain");
        Assert.That(models.Statuses, Is.Empty);
        await host.StopAsync();
    }

    private static async Task<FinalResult> InferAsync(Deployment deployment)
    {
        IReadOnlyDictionary<string, Tensor> inputs = Hosts.Model.RandomInputs(7);
        using FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Hosts.Limit);
        TensorAssert.AreIdentical(result.Outputs, Hosts.Model.Run(inputs));
        return result;
    }

    /// <summary>Why the application is not ready; empty where it is.</summary>
    private static async Task<string> ReadyAsync(HttpClient client)
    {
        using HttpResponseMessage response = await client.GetAsync("/readyz");
        JsonElement report = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(response.StatusCode, Is.EqualTo(report.GetProperty("status").GetString() == "Healthy" ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable));
        return string.Concat(report.GetProperty("checks").EnumerateObject().Select(static check => check.Value.GetProperty("description").GetString()));
    }

    private static Task LostAsync(Coordinator coordinator, int count)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        coordinator.AgentChanged += (_, _) =>
        {
            if (coordinator.AgentStates.Count(static agent => agent.State == EdgeSplit.Coordination.Membership.AgentState.Lost) == count)
                lost.TrySetResult();
        };
        return lost.Task;
    }
}

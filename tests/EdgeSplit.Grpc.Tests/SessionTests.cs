using EdgeSplit.Agents;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Grpc.Tests.Conformance;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Grpc.Tests;

/// <summary>What ends a session, and what is left then.</summary>
internal sealed class SessionTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Server_stopped_losesTheAgentAndUnloads()
    {
        var runtime = new FakePartitionRuntime();
        await using var inner = new EdgeAgent("a", runtime);
        await using var server = new GrpcAgentServer(inner);
        await server.StartAsync();
        await using GrpcEdgeAgent agent = await GrpcEdgeAgent.ConnectAsync(server.Address);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        await server.DisposeAsync().AsTask().WaitAsync(Limit);
        Assert.That(runtime.LiveExecutors, Is.Zero);
        await agent.Disconnected.WaitAsync(Limit);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => agent.ReportAsync(default).AsTask());
    }

    [Test]
    public async Task Coordinator_silent_losesTheAgentAndUnloads()
    {
        var runtime = new FakePartitionRuntime();
        var time = new FakeTimeProvider();
        await using ServedAgent agent = await ServedAgent.CreateAsync("a", runtime, new EdgeAgentOptions(), new GrpcAgentServerOptions { TimeProvider = time });
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        time.Advance(TimeSpan.FromSeconds(21));
        await agent.Remote.Disconnected.WaitAsync(Limit);
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Agent_silent_isLost()
    {
        var time = new FakeTimeProvider();
        await using ServedAgent agent = await ServedAgent.CreateAsync(
            "a", new FakePartitionRuntime(), new EdgeAgentOptions(), options: new GrpcConnectOptions { TimeProvider = time });
        time.Advance(TimeSpan.FromSeconds(21));
        await agent.Remote.Disconnected.WaitAsync(Limit);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => agent.ReportAsync(default).AsTask());
    }

    [Test]
    public async Task Session_ofAnother_isNotUnloaded()
    {
        var runtime = new FakePartitionRuntime();
        await using var inner = new EdgeAgent("a", runtime);
        await using var server = new GrpcAgentServer(inner);
        await server.StartAsync();
        await using GrpcEdgeAgent one = await GrpcEdgeAgent.ConnectAsync(server.Address);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await one.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        await using (GrpcEdgeAgent other = await GrpcEdgeAgent.ConnectAsync(server.Address))
        {
            await other.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
            await other.UnloadAsync(model.Whole.Id, default);
            await other.UnloadAsync(model.Whole.Id, default);
        }
        using PartialResult result = await one.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default);
        Assert.That(runtime.LiveExecutors, Is.EqualTo(1));
    }

    [Test]
    public async Task Execute_ofATensorAboveTheLimit_isRefused()
    {
        await using ServedAgent agent = await ServedAgent.CreateAsync(
            "a", new FakePartitionRuntime(), new EdgeAgentOptions(), new GrpcAgentServerOptions { MaxTensorBytes = 1000 });
        using Tensor large = Tensor.Create<byte>(new byte[1 << 20], new TensorShape(1 << 20));
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.InvalidInput,
            () => agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = large }), default).AsTask());
        Assert.That(exception.Message, Does.Contain(nameof(GrpcOptions.MaxTensorBytes)));
    }

    [TestCaseSource(nameof(AllErrors))]
    public void Error_asRichStatus_isTheSameAgain(EdgeSplitError error)
    {
        RpcException rpc = new EdgeSplitException(error, "What went wrong.").ToRpcException();
        EdgeSplitException back = rpc.ToEdgeSplitException("Agent 'a'");
        Assert.That(back.Error, Is.EqualTo(error));
        Assert.That(back.Message, Is.EqualTo("What went wrong."));
        Assert.That(rpc.StatusCode, Is.Not.EqualTo(StatusCode.OK));
    }

    private static IEnumerable<EdgeSplitError> AllErrors() => Enum.GetValues<EdgeSplitError>();
}

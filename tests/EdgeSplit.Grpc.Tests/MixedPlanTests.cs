using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Grpc.Tests;

/// <summary>One plan over an agent on TCP and one on gRPC, used by a client over gRPC.</summary>
internal sealed class MixedPlanTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Test]
    public async Task Infer_overATcpAndAGrpcAgent_givesWhatTheModelGives()
    {
        await using var system = await MixedSystem.StartAsync();
        IReadOnlyDictionary<string, Tensor> inputs = system.Model.RandomInputs(3);
        using (FinalResult result = await system.Deployment.InferAsync(inputs))
        {
            TensorAssert.AreIdentical(result.Outputs, system.Model.Run(inputs));
            Assert.That(result.Stages.Select(static stage => stage.AgentId).Distinct(), Is.EquivalentTo(["tcp", "grpc"]));
        }
    }

    [Test]
    public async Task Client_infer_givesWhatTheModelGivesAndTellsTheStages()
    {
        await using var system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var client = new GrpcInferenceClient(host.GrpcAddress);
        RemoteModel listed = (await client.ListModelsAsync()).Single();
        Assert.That(listed.Name, Is.EqualTo(system.Deployment.Name));
        Assert.That(listed.Epoch, Is.EqualTo(1));
        Assert.That(listed.Inputs.Select(static info => info.ToString()), Is.EqualTo(system.Deployment.Inputs.Select(static info => info.ToString())));
        Assert.That(listed.StageAgents.Distinct(), Is.EquivalentTo(["tcp", "grpc"]));
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async seed =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = system.Model.RandomInputs(seed);
            using FinalResult result = await client.InferAsync(listed.Name, inputs);
            TensorAssert.AreIdentical(result.Outputs, system.Model.Run(inputs));
            Assert.That(result.Stages, Has.Length.EqualTo(listed.StageAgents.Length));
        })).WaitAsync(Limit);
    }

    [Test]
    public async Task Client_failures_areThoseOfTheCoordinator()
    {
        await using var system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var client = new GrpcInferenceClient(host.GrpcAddress);
        EdgeSplitException unknown = await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => client.InferAsync("nothing", system.Model.RandomInputs(0)).AsTask());
        Assert.That(unknown.Message, Does.Contain("'nothing'"));
        EdgeSplitException missing = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.InvalidInput, () => client.InferAsync(system.Deployment.Name, new Dictionary<string, Tensor>()).AsTask());
        Assert.That(missing.Message, Does.Contain("missing"));
    }

    [Test]
    public async Task Client_cancelled_endsTheRequestOnTheAgent()
    {
        await using var system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var client = new GrpcInferenceClient(host.GrpcAddress);
        using var gate = new Gate();
        system.Runtime.Executing = gate.Pass;
        using var cancellation = new CancellationTokenSource();
        Task<FinalResult> running = client.InferAsync(system.Deployment.Name, system.Model.RandomInputs(0), cancellation.Token).AsTask();
        await gate.Reached.WaitAsync(Limit);
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => running.WaitAsync(Limit));
        system.Runtime.Executing = null;
        (await client.InferAsync(system.Deployment.Name, system.Model.RandomInputs(0)).AsTask().WaitAsync(Limit)).Dispose();
    }

    [Test]
    public async Task Client_deadline_endsTheRequest()
    {
        await using var system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var client = new GrpcInferenceClient(host.GrpcAddress, new GrpcConnectOptions { RequestTimeout = TimeSpan.FromMilliseconds(100) });
        using var gate = new Gate();
        system.Runtime.Executing = gate.Pass;
        await ErrorAssert.FailsWithAsync(
            EdgeSplitError.DeadlineExceeded, () => client.InferAsync(system.Deployment.Name, system.Model.RandomInputs(0)).AsTask().WaitAsync(Limit));
    }

    [Test]
    public async Task Loss_ofTheGrpcAgent_movesItsStagesToTheOther()
    {
        await using var system = await MixedSystem.StartAsync();
        IReadOnlyDictionary<string, Tensor> inputs = system.Model.RandomInputs(5);
        (await system.Deployment.InferAsync(inputs)).Dispose();
        await system.GrpcServer.DisposeAsync();
        using FinalResult result = await system.Deployment.InferAsync(inputs).AsTask().WaitAsync(Limit);
        TensorAssert.AreIdentical(result.Outputs, system.Model.Run(inputs));
        Assert.That(result.Stages.Select(static stage => stage.AgentId).Distinct(), Is.EqualTo(["tcp"]));
    }
}

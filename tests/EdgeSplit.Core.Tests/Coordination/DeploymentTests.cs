using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests.Coordination.Adaptation;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination;

public sealed class DeploymentTests
{
    private static readonly FakeModel Diamond = new FakeModelBuilder("diamond")
        .Input("x", 6).Input("z", 3)
        .Mix("split", ["x"], "p", "q")
        .Mix("left", ["p", "z"], "l")
        .Mix("right", ["q", "x"], "r")
        .Mix("join", ["l", "r", "p"], "y")
        .Output("y", "l", "x").Build();

    private static IEnumerable<TestCaseData> Models()
    {
        yield return new TestCaseData(FakeModelBuilder.Chain("chain", 7)).SetArgDisplayNames("chain");
        yield return new TestCaseData(Diamond).SetArgDisplayNames("diamond");
        yield return new TestCaseData(FakeModelBuilder.Chain("one", 1)).SetArgDisplayNames("one layer");
        yield return new TestCaseData(
            new FakeModelBuilder("unused").Input("x", 4).Input("idle", TensorElementType.Int64, 2).Mix("a", ["x"], "y", "never").Output("y", "idle").Build()).SetArgDisplayNames("unused values");
        yield return new TestCaseData(new FakeModelBuilder("kept").Input("x", 4).Mix("a", ["x"], "u").Mix("b", ["u"], "v").Mix("c", ["v", "u"], "y").Output("u", "v", "y").Build())
            .SetArgDisplayNames("outputs that are needed later");
        yield return new TestCaseData(new FakeModelBuilder("types").Input("x", 4).Input("t", TensorElementType.String, 3).Copy("a", "t", "s").Mix("b", ["x"], "y").Copy("c", "s", "u").Output("y", "u").Build())
            .SetArgDisplayNames("strings");
        yield return new TestCaseData(new FakeModelBuilder("dynamic").Input("x", -1, 3).Mix("a", ["x"], "u").Mix("b", ["u", "x"], "y").Output("y").Build()).SetArgDisplayNames("dynamic shape");
    }

    [TestCaseSource(nameof(Models))]
    public async Task Infer_gives_what_the_unsplit_model_gives(FakeModel model)
    {
        await using Cluster cluster = await Cluster.CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync(model.Graph.Name);
        for (int seed = 0; seed < 3; seed++)
        {
            IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(seed);
            using FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Cluster.Limit);
            TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
            Assert.That(result.Outputs.Keys, Is.EqualTo(model.Outputs.Select(static output => output.Name)));
            Assert.That(result.Epoch, Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Infer_on_random_graphs_under_random_plans_gives_what_the_unsplit_model_gives()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            FakeModel model = RandomModel(random);
            var partitioner = new FixedPartitioner(problem => problem.Graph.Layers.Select(_ => problem.Fleet.Devices[random.Next(problem.Fleet.Devices.Length)].Id));
            await using Cluster cluster = await Cluster.CreateAsync(model, options: Cluster.Defaults with { Partitioner = partitioner });
            Deployment deployment = await cluster.Coordinator.DeployAsync(model.Graph.Name);
            IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(seed);
            using FinalResult result = await deployment.InferAsync(inputs).AsTask().WaitAsync(Cluster.Limit);
            TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
        }
    }

    [Test]
    public async Task Infer_many_at_once_gives_each_caller_its_own_result()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Diamond);
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        await Task.WhenAll(Enumerable.Range(0, 200).Select(seed => Task.Run(async () =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = Diamond.RandomInputs(seed);
            using FinalResult result = await deployment.InferAsync(inputs);
            TensorAssert.AreIdentical(result.Outputs, Diamond.Run(inputs));
        }))).WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Infer_tells_the_time_of_each_stage()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Diamond);
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using FinalResult result = await deployment.InferAsync(Diamond.RandomInputs(0));
        Assert.That(result.Stages.Select(static stage => stage.Stage), Is.EqualTo(deployment.Plan.Stages.Select(static stage => stage.Index)));
        Assert.That(result.Stages.Select(static stage => stage.AgentId), Is.EqualTo(deployment.Plan.Stages.Select(stage => deployment.Plan.Fleet.Devices[stage.Device].Id)));
        foreach (StageTiming stage in result.Stages)
        {
            Assert.That(stage.Started + stage.Total, Is.LessThanOrEqualTo(result.Latency));
            Assert.That(stage.Compute + stage.Queue, Is.LessThanOrEqualTo(stage.Total));
        }
    }

    [Test]
    public async Task Infer_runs_stages_that_do_not_need_each_other_at_the_same_time()
    {
        var partitioner = new FixedPartitioner(static problem => ["a", "b", "c", "a"]);
        await using Cluster cluster = await Cluster.CreateAsync(Diamond, options: Cluster.Defaults with { Partitioner = partitioner });
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var together = new Barrier(2);
        cluster.Runtimes["b"].Executing = cluster.Runtimes["c"].Executing = (_, token) => Assert.That(together.SignalAndWait(Cluster.Limit, token));
        (await deployment.InferAsync(Diamond.RandomInputs(0)).AsTask().WaitAsync(Cluster.Limit)).Dispose();
    }

    [Test]
    public async Task Infer_with_wrong_inputs_names_the_tensor_and_what_was_expected()
    {
        FakeModel model = new FakeModelBuilder("m").Input("image", 1, -1, 3).Input("scale", 2).Mix("a", ["image", "scale"], "y").Output("y").Build();
        await using Cluster cluster = await Cluster.CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("m");
        Tensor image = Tensor.Create<float>([1, 2, 3, 4, 5, 6], new TensorShape(1, 2, 3));
        Tensor scale = Tensor.Create<float>([1, 2], new TensorShape(2));

        await FailsAsync(new() { ["image"] = image }, "'scale'", "missing", "Float [2]");
        await FailsAsync(new() { ["image"] = image, ["scale"] = scale, ["bias"] = scale }, "'bias'", "'image', 'scale'");
        await FailsAsync(new() { ["image"] = image, ["scale"] = Tensor.Create<long>([1, 2], new TensorShape(2)) }, "'scale'", "Int64 [2]", "Float [2]");
        await FailsAsync(new() { ["image"] = scale, ["scale"] = scale }, "'image'", "Float [2]", "Float [1, n, 3]", "rank");
        await FailsAsync(new() { ["image"] = Tensor.Create<float>([1, 2, 3, 4], new TensorShape(1, 1, 4)), ["scale"] = scale }, "'image'", "[1, 1, 4]", "dimension 2 is 4, not 3");
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.Executions), Is.Zero);

        async Task FailsAsync(Dictionary<string, Tensor> inputs, params string[] parts)
        {
            EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidInput, () => deployment.InferAsync(inputs).AsTask());
            foreach (string part in parts.Append("'m'"))
                Assert.That(exception.Message, Does.Contain(part));
        }
    }

    [Test]
    public async Task Infer_whose_stage_fails_stops_the_others_and_names_the_stage()
    {
        var partitioner = new FixedPartitioner(static problem => ["a", "b", "c", "a"]);
        await using Cluster cluster = await Cluster.CreateAsync(Diamond, options: Cluster.Defaults with { Partitioner = partitioner });
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        cluster.Runtimes["c"].Executing = (_, _) =>
        {
            gate.Reached.Wait(Cluster.Limit);
            throw new InvalidOperationException("out of ideas");
        };
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.ExecutionFailed, () => deployment.InferAsync(Diamond.RandomInputs(0)).AsTask());
        Assert.That(exception.Message, Does.Contain("'diamond'").And.Contain("stage 2").And.Contain("agent 'c'").And.Contain("out of ideas"));
        Assert.That(cluster.Ledger.Outstanding, Is.Zero);
    }

    [Test]
    public async Task Infer_cancelled_ends_with_cancellation()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Diamond);
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        using var cancellation = new CancellationTokenSource();
        Task<FinalResult> request = deployment.InferAsync(Diamond.RandomInputs(0), cancellation.Token).AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);
        await cancellation.CancelAsync();
        OperationCanceledException exception = (await Assert.CatchAsync<OperationCanceledException>(() => request.WaitAsync(Cluster.Limit)))!;
        Assert.That(exception.CancellationToken, Is.EqualTo(cancellation.Token));
        Assert.That(cluster.Ledger.Outstanding, Is.Zero);
    }

    [Test]
    public async Task Infer_cancelled_at_random_points_leaks_nothing()
    {
        FakeModel model = RandomModel(new Random(5));
        await using Cluster cluster = await Cluster.CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync(model.Graph.Name);
        int executions = 0;
        for (int round = 0; round < 60; round++)
        {
            using var cancellation = new CancellationTokenSource();
            int cancelAt = executions + new Random(round).Next(model.Graph.Layers.Length * 4);
            foreach (FakePartitionRuntime runtime in cluster.Runtimes.Values)
            {
                runtime.Executing = (_, _) =>
                {
                    if (Interlocked.Increment(ref executions) == cancelAt)
                        cancellation.Cancel();
                };
            }
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async seed =>
            {
                try
                {
                    using FinalResult result = await deployment.InferAsync(model.RandomInputs(seed), cancellation.Token);
                }
                catch (OperationCanceledException)
                {
                    Assert.That(cancellation.IsCancellationRequested);
                }
            })).WaitAsync(Cluster.Limit);
            Assert.That(cluster.Ledger.Outstanding, Is.Zero);
        }
    }

    [Test]
    public async Task Infer_beyond_the_window_waits_and_beyond_the_queue_is_refused()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Diamond, options: Cluster.Defaults with { MaxInFlightRequests = 1, MaxQueuedRequests = 1 });
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var gate = new Gate();
        cluster.Runtimes["a"].Executing = gate.Pass;
        Task<FinalResult> running = deployment.InferAsync(Diamond.RandomInputs(0)).AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);
        Task<FinalResult> waiting = deployment.InferAsync(Diamond.RandomInputs(1)).AsTask();
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => deployment.InferAsync(Diamond.RandomInputs(2)).AsTask());
        Assert.That(exception.IsTransient, Is.True);
        gate.Open();
        (await running.WaitAsync(Cluster.Limit)).Dispose();
        (await waiting.WaitAsync(Cluster.Limit)).Dispose();
        (await deployment.InferAsync(Diamond.RandomInputs(3)).AsTask().WaitAsync(Cluster.Limit)).Dispose();
    }

    [Test]
    public async Task Dispose_waits_for_requests_and_refuses_later_ones()
    {
        await using Cluster cluster = await Cluster.CreateAsync(Diamond);
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var gate = new Gate();
        cluster.Runtimes["a"].Executing = gate.Pass;
        Task<FinalResult> running = deployment.InferAsync(Diamond.RandomInputs(0)).AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);
        Task disposing = deployment.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => deployment.InferAsync(Diamond.RandomInputs(1)).AsTask());
        Assert.That(disposing.IsCompleted, Is.False);
        gate.Open();
        (await running.WaitAsync(Cluster.Limit)).Dispose();
        await disposing.WaitAsync(Cluster.Limit);
        Assert.That(cluster.Coordinator.Deployments, Is.Empty);
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.Zero);
    }

    [Test]
    public async Task Dispose_ends_requests_that_take_longer_than_the_drain_timeout([Values] bool disposesCoordinator, [Values] bool isCancellable)
    {
        var time = new FakeTimeProvider();
        await using Cluster cluster = await Cluster.CreateAsync(Diamond, options: Cluster.Defaults with { TimeProvider = time, DrainTimeout = TimeSpan.FromSeconds(20) });
        Deployment deployment = await cluster.Coordinator.DeployAsync("diamond");
        using var gate = new Gate();
        cluster.Runtimes["a"].Executing = gate.Pass;
        using var caller = new CancellationTokenSource();
        Task<FinalResult> running = deployment.InferAsync(Diamond.RandomInputs(0), isCancellable ? caller.Token : default).AsTask();
        await gate.Reached.WaitAsync(Cluster.Limit);
        Task disposing = disposesCoordinator ? cluster.Coordinator.DisposeAsync().AsTask() : deployment.DisposeAsync().AsTask();
        await time.PassUntilAsync(() => running.IsCompleted);
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => running);
        Assert.That(exception.Message, Does.Contain("disposed of while the request ran").And.Contain("20 s").And.Contain("DrainTimeout"));
        await disposing.WaitAsync(Cluster.Limit);
        Assert.That(cluster.Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.Zero);
    }

    private static FakeModel RandomModel(Random random)
    {
        FakeModelBuilder builder = new FakeModelBuilder($"random{random.Next()}").Input("i0", 5).Input("i1", 2);
        var values = new List<string> { "i0", "i1" };
        int layers = random.Next(1, 12);
        for (int layer = 0; layer < layers; layer++)
        {
            string[] inputs = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => values[random.Next(values.Count)]).Distinct()];
            string[] outputs = [.. Enumerable.Range(0, random.Next(1, 3)).Select(output => $"v{layer}.{output}")];
            builder.Mix($"layer{layer}", [.. inputs], [.. outputs], random.Next(0, 5));
            values.AddRange(outputs);
        }
        string[] results = [.. values.Where(_ => random.Next(3) == 0).Append(values[^1]).Distinct()];
        return builder.Output(results).Build();
    }
}

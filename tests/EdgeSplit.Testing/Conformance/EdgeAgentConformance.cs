using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Testing.Conformance;

/// <summary>What every <see cref="IEdgeAgent"/> must do. A fixture inherits it and makes the agent.</summary>
public abstract class EdgeAgentConformance
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Makes an agent that executes with a runtime of this process under some options. Its disposal ends all that belongs to it.</summary>
    protected abstract ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options);

    [Test]
    public async Task Describe_gives_the_device_under_the_agents_id()
    {
        await using IEdgeAgent agent = await CreateAsync("camera-7", new FakePartitionRuntime { Device = new Device { Id = "x", FlopsPerSecond = 123e9 } });
        AgentDescription description = await agent.DescribeAsync(default);
        Assert.Multiple(() =>
        {
            Assert.That(agent.Id, Is.EqualTo("camera-7"));
            Assert.That(description.Device.Id, Is.EqualTo("camera-7"));
            Assert.That(description.Device.FlopsPerSecond, Is.EqualTo(123e9));
            Assert.That(description.Runtime, Is.EqualTo("fake 1.0"));
            Assert.That(description.ExecutionProvider, Is.EqualTo("CPU"));
            Assert.That(description.HostName, Is.Not.Empty);
            Assert.That(description.Platform, Is.Not.Empty);
            Assert.That(description.ProcessorCount, Is.GreaterThan(0));
        });
    }

    [Test]
    public async Task Describe_of_a_configured_device_gives_every_figure_of_it()
    {
        var device = new Device
        {
            Id = "a",
            FlopsPerSecond = 1.5e9,
            MemoryBytesPerSecond = 2.5e9,
            LayerOverheadSeconds = 3e-5,
            MemoryBytes = 1L << 33,
            CurrentLoad = 0.25,
            AllowedLoad = 0.75,
            IdleWatts = 1.25,
            ActiveWatts = 7.5,
            ConcurrentStages = 2,
            Origin = CostOrigin.Configured,
        };
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime, new EdgeAgentOptions { Device = device });
        Assert.That((await agent.DescribeAsync(default)).Device, Is.EqualTo(device));
        Assert.That(runtime.Calibrations, Is.Zero);
    }

    [Test]
    public async Task Describe_many_times_calibrates_once()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => agent.DescribeAsync(default).AsTask())).WaitAsync(Limit);
        Assert.That(runtime.Calibrations, Is.EqualTo(1));
    }

    [Test]
    public async Task Report_counts_up_and_tells_what_is_loaded()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = FakeModelBuilder.Chain("m", 2);
        ResourceReport first = await agent.ReportAsync(default);
        await LoadAsync(agent, model.Whole, model);
        ResourceReport second = await agent.ReportAsync(default);
        Assert.Multiple(() =>
        {
            Assert.That(first.AgentId, Is.EqualTo("a"));
            Assert.That(first.LoadedPartitions, Is.Zero);
            Assert.That(second.SequenceNumber, Is.EqualTo(first.SequenceNumber + 1));
            Assert.That(second.LoadedPartitions, Is.EqualTo(1));
            Assert.That(second.Timestamp, Is.GreaterThanOrEqualTo(first.Timestamp));
        });
    }

    [Test]
    public async Task Execute_gives_what_the_model_gives()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = new FakeModelBuilder("m").Input("x", 3, 5).Input("z", 5).Mix("first", ["x", "z"], "u", "v").Mix("second", ["v", "u"], "y").Output("u", "y").Build();
        await LoadAsync(agent, model.Whole, model);
        IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(1);
        var id = Guid.NewGuid();
        using (PartialResult result = await agent.ExecuteAsync(new InferenceRequest(id, model.Whole.Id, inputs), default))
        {
            TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
            Assert.That(result.RequestId, Is.EqualTo(id));
            Assert.That(result.PartitionId, Is.EqualTo(model.Whole.Id));
            Assert.That(result.ComputeTime, Is.GreaterThanOrEqualTo(TimeSpan.Zero));
            Assert.That(result.QueueTime, Is.GreaterThanOrEqualTo(TimeSpan.Zero));
        }
        await NothingIsLeftAsync(runtime);
    }

    [TestCase(TensorElementType.Float, new long[] { 2, 3 })]
    [TestCase(TensorElementType.Float, new long[] { })]
    [TestCase(TensorElementType.Float, new long[] { 2, 0, 3 })]
    [TestCase(TensorElementType.Double, new long[] { 7 })]
    [TestCase(TensorElementType.Int64, new long[] { 1, 1, 1, 1, 1, 1, 1, 3 })]
    [TestCase(TensorElementType.UInt8, new long[] { 1_000_003 })]
    [TestCase(TensorElementType.Bool, new long[] { 5 })]
    [TestCase(TensorElementType.Float16, new long[] { 3 })]
    [TestCase(TensorElementType.BFloat16, new long[] { 3 })]
    [TestCase(TensorElementType.Complex128, new long[] { 2 })]
    [TestCase(TensorElementType.Float8E5M2, new long[] { 9 })]
    [TestCase(TensorElementType.Int4, new long[] { 5 })]
    [TestCase(TensorElementType.UInt2, new long[] { 9 })]
    [TestCase(TensorElementType.String, new long[] { 2, 2 })]
    [TestCase(TensorElementType.String, new long[] { 0 })]
    public async Task Execute_carries_every_type_and_shape(TensorElementType type, long[] dimensions)
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = new FakeModelBuilder("m").Input("x", type, dimensions).Copy("copy", "x", "y").Output("y").Build();
        await LoadAsync(agent, model.Whole, model);
        IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(2);
        using PartialResult result = await ExecuteAsync(agent, model.Whole, inputs);
        TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
    }

    [Test]
    public async Task Execute_many_at_once_gives_each_caller_its_own_result()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime, new EdgeAgentOptions { MaxConcurrentExecutions = 2 });
        FakeModel model = FakeModelBuilder.Chain("m", 3);
        await LoadAsync(agent, model.Whole, model);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(seed => Task.Run(async () =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(seed);
            using PartialResult result = await ExecuteAsync(agent, model.Whole, inputs);
            TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
        }))).WaitAsync(Limit);
        await NothingIsLeftAsync(runtime);
    }

    [Test]
    public async Task Execute_of_a_partition_that_is_not_loaded_fails()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => ExecuteAsync(agent, model.Whole, model.RandomInputs(0)));
        Assert.That(exception.Message, Does.Contain(model.Whole.Id));
    }

    [Test]
    public async Task Execute_with_a_wrong_input_fails_and_the_agent_goes_on()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1, width: 2);
        await LoadAsync(agent, model.Whole, model);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidInput, () => ExecuteAsync(agent, model.Whole, new Dictionary<string, Tensor>()));
        await ErrorAssert.FailsWithAsync(
            EdgeSplitError.InvalidInput,
            () => ExecuteAsync(agent, model.Whole, new Dictionary<string, Tensor> { ["x"] = Tensor.Create<long>([1, 2], new TensorShape(2)) }));
        (await ExecuteAsync(agent, model.Whole, model.RandomInputs(0))).Dispose();
        await NothingIsLeftAsync(runtime);
    }

    [Test]
    public async Task Execute_that_fails_in_the_runtime_tells_so_and_the_agent_goes_on()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        runtime.Executing = static (_, _) => throw new InvalidOperationException("The device is on fire.");
        await ErrorAssert.FailsWithAsync(EdgeSplitError.ExecutionFailed, () => ExecuteAsync(agent, model.Whole, model.RandomInputs(0)));
        runtime.Executing = null;
        (await ExecuteAsync(agent, model.Whole, model.RandomInputs(0))).Dispose();
        await NothingIsLeftAsync(runtime);
    }

    [Test]
    public async Task Execute_beyond_the_queue_is_refused_and_what_waits_still_runs()
    {
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using IEdgeAgent agent = await CreateAsync("a", runtime, new EdgeAgentOptions { MaxQueuedExecutions = 1 });
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        runtime.Executing = gate.Pass;
        Task<PartialResult> running = ExecuteAsync(agent, model.Whole, model.RandomInputs(0));
        await gate.Reached.WaitAsync(Limit);
        Task<PartialResult> waiting = ExecuteAsync(agent, model.Whole, model.RandomInputs(1));
        await PendingAsync(agent, 2);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => ExecuteAsync(agent, model.Whole, model.RandomInputs(2)));
        gate.Open();
        (await running.WaitAsync(Limit)).Dispose();
        (await waiting.WaitAsync(Limit)).Dispose();
    }

    [Test]
    public async Task Execute_cancelled_while_it_waits_ends_and_never_runs()
    {
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        runtime.Executing = gate.Pass;
        Task<PartialResult> running = ExecuteAsync(agent, model.Whole, model.RandomInputs(0));
        await gate.Reached.WaitAsync(Limit);
        using var cancellation = new CancellationTokenSource();
        Task<PartialResult> waiting = ExecuteAsync(agent, model.Whole, model.RandomInputs(1), cancellation.Token);
        await PendingAsync(agent, 2);
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => waiting.WaitAsync(Limit));
        await PendingAsync(agent, 1);
        gate.Open();
        (await running.WaitAsync(Limit)).Dispose();
        Assert.That(runtime.Executions, Is.EqualTo(1));
        await NothingIsLeftAsync(runtime);
    }

    [Test]
    public async Task Execute_cancelled_while_it_runs_ends_and_frees_the_device()
    {
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        runtime.Executing = gate.Pass;
        using var cancellation = new CancellationTokenSource();
        Task<PartialResult> running = ExecuteAsync(agent, model.Whole, model.RandomInputs(0), cancellation.Token);
        await gate.Reached.WaitAsync(Limit);
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => running.WaitAsync(Limit));
        runtime.Executing = null;
        (await ExecuteAsync(agent, model.Whole, model.RandomInputs(0)).WaitAsync(Limit)).Dispose();
        await NothingIsLeftAsync(runtime);
    }

    [Test]
    public async Task Load_fetches_only_the_weights_that_the_agent_lacks()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = FakeModelBuilder.Chain("m", 2);
        ModelPartition one = model.Extract([0]);
        PartitionLoaded first = await LoadAsync(agent, one, model);
        PartitionLoaded both = await LoadAsync(agent, model.Whole, model);
        PartitionLoaded again = await LoadAsync(agent, model.Whole, model);
        Assert.Multiple(() =>
        {
            Assert.That(first.PartitionId, Is.EqualTo(one.Id));
            Assert.That(first.ReceivedBytes, Is.EqualTo(one.WeightBytes));
            Assert.That(both.ReceivedBytes, Is.EqualTo(model.Whole.WeightBytes - one.WeightBytes));
            Assert.That(again.ReceivedBytes, Is.Zero);
        });
    }

    [Test]
    public async Task Load_that_requests_wait_for_is_known_to_the_runtime([Values] bool isUrgent)
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole) { IsUrgent = isUrgent }, model, default);
        Assert.That(runtime.UrgentLoads, Is.EqualTo(isUrgent ? 1 : 0));
    }

    [Test]
    public async Task Load_twice_and_unload_once_leaves_the_partition_loaded()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        await LoadAsync(agent, model.Whole, model);
        await agent.UnloadAsync(model.Whole.Id, default);
        (await ExecuteAsync(agent, model.Whole, model.RandomInputs(0))).Dispose();
        await agent.UnloadAsync(model.Whole.Id, default);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => ExecuteAsync(agent, model.Whole, model.RandomInputs(0)));
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Load_of_one_partition_by_many_at_once_loads_it_once()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 2);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => LoadAsync(agent, model.Whole, model))).WaitAsync(Limit);
        Assert.That(runtime.Loads, Is.EqualTo(1));
    }

    [Test]
    public async Task Load_of_a_damaged_weight_fails_and_leaves_nothing_behind()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        FakeModel damaged = FakeModelBuilder.Chain("m", 1);
        ContentHash hash = model.Whole.Blobs[0].Hash;
        damaged.Weights[hash] = [.. damaged.Weights[hash]];
        damaged.Weights[hash][3] ^= 1;
        await ErrorAssert.FailsWithAsync(EdgeSplitError.IntegrityFailure, () => LoadAsync(agent, model.Whole, damaged));
        Assert.That((await agent.ReportAsync(default)).LoadedPartitions, Is.Zero);
        PartitionLoaded loaded = await LoadAsync(agent, model.Whole, model);
        Assert.That(loaded.ReceivedBytes, Is.EqualTo(model.Whole.WeightBytes));
    }

    [Test]
    public async Task Load_from_a_source_that_lacks_a_weight_fails()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        ModelPartition partition = model.Whole;
        model.Weights.Clear();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.NotFound, () => LoadAsync(agent, partition, model));
    }

    [Test]
    public async Task Load_of_something_that_is_no_model_fails()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        ModelPartition nonsense = model.Whole with { Skeleton = "nonsense"u8.ToArray() };
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidModel, () => LoadAsync(agent, nonsense, model));
        Assert.That((await agent.ReportAsync(default)).LoadedPartitions, Is.Zero);
    }

    [Test]
    public async Task Load_cancelled_ends_and_can_be_done_again()
    {
        var runtime = new FakePartitionRuntime();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        var reached = new TaskCompletionSource();
        runtime.Loading = (_, token) =>
        {
            reached.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, token);
        };
        using var cancellation = new CancellationTokenSource();
        Task<PartitionLoaded> loading = agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, cancellation.Token).AsTask();
        await reached.Task.WaitAsync(Limit);
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => loading.WaitAsync(Limit));
        runtime.Loading = null;
        await LoadAsync(agent, model.Whole, model).WaitAsync(Limit);
        (await ExecuteAsync(agent, model.Whole, model.RandomInputs(0))).Dispose();
    }

    [Test]
    public async Task Unload_waits_for_what_runs()
    {
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await LoadAsync(agent, model.Whole, model);
        runtime.Executing = gate.Pass;
        Task<PartialResult> running = ExecuteAsync(agent, model.Whole, model.RandomInputs(0));
        await gate.Reached.WaitAsync(Limit);
        Task unloading = agent.UnloadAsync(model.Whole.Id, default).AsTask();
        Assert.That(runtime.LiveExecutors, Is.EqualTo(1));
        gate.Open();
        (await running.WaitAsync(Limit)).Dispose();
        await unloading.WaitAsync(Limit);
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Unload_of_an_unknown_partition_does_nothing()
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        await Assert.DoesNotThrowAsync(() => agent.UnloadAsync("0123456789abcdef", default).AsTask());
    }

    [TestCase(0)]
    [TestCase(1 << 20)]
    public async Task Probe_answers(int payloadByteCount)
    {
        await using IEdgeAgent agent = await CreateAsync("a", new FakePartitionRuntime());
        TimeSpan roundTrip = await agent.ProbeAsync(payloadByteCount, default).AsTask().WaitAsync(Limit);
        Assert.That(roundTrip, Is.GreaterThanOrEqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Dispose_unloads_everything()
    {
        var runtime = new FakePartitionRuntime();
        IEdgeAgent agent = await CreateAsync("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 2);
        await LoadAsync(agent, model.Extract([0]), model);
        await LoadAsync(agent, model.Extract([1]), model);
        await LoadAsync(agent, model.Extract([1]), model);
        await agent.DisposeAsync().AsTask().WaitAsync(Limit);
        await agent.DisposeAsync().AsTask().WaitAsync(Limit);
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    private ValueTask<IEdgeAgent> CreateAsync(string id, FakePartitionRuntime runtime, EdgeAgentOptions? options = null) =>
        CreateAgentAsync(id, runtime, options ?? new EdgeAgentOptions());

    private static Task<PartitionLoaded> LoadAsync(IEdgeAgent agent, ModelPartition partition, IBlobSource blobs) =>
        agent.LoadAsync(new ModelPartitionRequest("m", partition), blobs, default).AsTask();

    private static async Task<PartialResult> ExecuteAsync(
        IEdgeAgent agent, ModelPartition partition, IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken = default) =>
        await agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), partition.Id, inputs), cancellationToken);

    private static async Task PendingAsync(IEdgeAgent agent, int count)
    {
        using var limit = new CancellationTokenSource(Limit);
        while ((await agent.ReportAsync(limit.Token)).PendingExecutions != count)
            await Task.Yield();
    }

    /// <summary>Behind a connection, an agent disposes of its outputs only after it has sent them.</summary>
    private static async Task NothingIsLeftAsync(FakePartitionRuntime runtime)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (runtime.Ledger.Outstanding > 0 && !limit.IsCancellationRequested)
            await Task.Yield();
        Assert.That(runtime.Ledger.Outstanding, Is.Zero, "Tensors leak.");
    }
}

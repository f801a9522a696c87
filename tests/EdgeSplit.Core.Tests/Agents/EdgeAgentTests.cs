using EdgeSplit.Agents;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Agents;

public sealed class EdgeAgentTests : EdgeAgentConformance
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    protected override ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options) =>
        new(new EdgeAgent(id, runtime, options));

    [TestCase("")]
    [TestCase("a b")]
    [TestCase("a/b")]
    [TestCase("ä")]
    [TestCase("01234567890123456789012345678901234567890123456789012345678901234")]
    public void Constructor_with_an_id_of_other_characters_is_refused(string id)
    {
        ArgumentException exception = Assert.Throws<ArgumentException>(() => _ = new EdgeAgent(id, new FakePartitionRuntime()))!;
        Assert.That(exception.ParamName, Is.EqualTo("id"));
    }

    [Test]
    public async Task Execute_runs_in_the_order_of_arrival()
    {
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using var agent = new EdgeAgent("a", runtime);
        FakeModel[] models = [.. Enumerable.Range(0, 5).Select(i => FakeModelBuilder.Chain($"m{i}", i + 1))];
        foreach (FakeModel model in models)
            await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        var order = new List<string>();
        runtime.Executing = (partition, token) =>
        {
            order.Add(partition.Id);
            gate.Pass(partition, token);
        };
        Task<PartialResult>[] executions = [.. models.Select(model =>
            agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default).AsTask())];
        gate.Open();
        foreach (Task<PartialResult> execution in executions)
            (await execution.WaitAsync(Limit)).Dispose();
        Assert.That(order, Is.EqualTo(models.Select(static model => model.Whole.Id)));
    }

    [Test]
    public async Task Execute_runs_as_many_at_once_as_allowed()
    {
        var runtime = new FakePartitionRuntime();
        await using var agent = new EdgeAgent("a", runtime, new EdgeAgentOptions { MaxConcurrentExecutions = 3 });
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        using var together = new Barrier(3);
        runtime.Executing = (_, token) => Assert.That(together.SignalAndWait(Limit, token));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async seed =>
            (await agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(seed)), default)).Dispose())).WaitAsync(Limit);
    }

    [Test]
    public async Task Execute_measures_the_wait_and_the_run()
    {
        var time = new FakeTimeProvider();
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        await using var agent = new EdgeAgent("a", runtime, new EdgeAgentOptions { TimeProvider = time });
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        runtime.Executing = gate.Pass;
        ValueTask<PartialResult> first = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default);
        await gate.Reached.WaitAsync(Limit);
        time.Advance(TimeSpan.FromSeconds(2));
        ValueTask<PartialResult> second = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default);
        time.Advance(TimeSpan.FromSeconds(3));
        gate.Open();
        using PartialResult ran = await first;
        using PartialResult waited = await second;
        Assert.Multiple(() =>
        {
            Assert.That(ran.QueueTime, Is.EqualTo(TimeSpan.Zero));
            Assert.That(ran.ComputeTime, Is.EqualTo(TimeSpan.FromSeconds(5)));
            Assert.That(waited.QueueTime, Is.EqualTo(TimeSpan.FromSeconds(3)));
            Assert.That(waited.ComputeTime, Is.EqualTo(TimeSpan.Zero));
        });
    }

    [Test]
    public async Task Dispose_fails_what_waits_lets_run_what_runs_and_deletes_its_folder()
    {
        string? folder = null;
        var runtime = new FakePartitionRuntime();
        using var gate = new Gate();
        var agent = new EdgeAgent("a", new FolderSpy(runtime, path => folder = path));
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        Assert.That(Directory.Exists(folder));
        runtime.Executing = gate.Pass;
        Task<PartialResult> running = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default).AsTask();
        await gate.Reached.WaitAsync(Limit);
        Task<PartialResult> waiting = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), default).AsTask();
        Task disposing = agent.DisposeAsync().AsTask();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => waiting);
        gate.Open();
        (await running.WaitAsync(Limit)).Dispose();
        await disposing.WaitAsync(Limit);
        Assert.That(Directory.Exists(folder), Is.False);
        Assert.That(runtime.LiveExecutors, Is.Zero);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => agent.DescribeAsync(default).AsTask());
    }

    [Test]
    public async Task Dispose_while_a_partition_loads_ends_the_load()
    {
        var runtime = new FakePartitionRuntime { Loading = static (_, token) => Task.Delay(Timeout.InfiniteTimeSpan, token) };
        var agent = new EdgeAgent("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        Task loading = agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default).AsTask();
        await agent.DisposeAsync().AsTask().WaitAsync(Limit);
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => loading);
        Assert.That(runtime.LiveExecutors, Is.Zero);
    }

    [Test]
    public async Task Load_whose_first_caller_gives_up_goes_on_for_the_second()
    {
        var runtime = new FakePartitionRuntime();
        await using var agent = new EdgeAgent("a", runtime);
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        var reached = new TaskCompletionSource();
        runtime.Loading = (_, token) =>
        {
            runtime.Loading = null;
            reached.SetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, token);
        };
        using var cancellation = new CancellationTokenSource();
        Task first = agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, cancellation.Token).AsTask();
        await reached.Task.WaitAsync(Limit);
        Task second = agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default).AsTask();
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => first);
        await second.WaitAsync(Limit);
        Assert.That(runtime.Loads, Is.EqualTo(1));
    }

    [Test]
    public async Task Execute_load_and_unload_at_random_leave_nothing_behind()
    {
        var runtime = new FakePartitionRuntime();
        using (var folder = new TemporaryFolder())
        await using (var agent = new EdgeAgent("a", runtime, new EdgeAgentOptions { MaxConcurrentExecutions = 2, BlobStore = new FolderBlobStore(folder.Path) }))
        {
            FakeModel model = FakeModelBuilder.Chain("m", 2);
            await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
            {
                var random = new Random(worker);
                IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(worker);
                for (int i = 0; i < 30; i++)
                {
                    await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
                    using var cancellation = new CancellationTokenSource();
                    ValueTask<PartialResult> execution = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, inputs), cancellation.Token);
                    if (random.Next(2) == 0)
                        await cancellation.CancelAsync();
                    try
                    {
                        (await execution).Dispose();
                    }
                    catch (OperationCanceledException)
                    {
                        Assert.That(cancellation.IsCancellationRequested);
                    }
                    await agent.UnloadAsync(model.Whole.Id, default);
                }
            }))).WaitAsync(Limit);
            ResourceReport report = await agent.ReportAsync(default);
            Assert.That(report.LoadedPartitions, Is.Zero);
            Assert.That(report.PendingExecutions, Is.Zero);
            Assert.That(runtime.LiveExecutors, Is.Zero);
        }
        Assert.That(runtime.Ledger.Outstanding, Is.Zero);
    }

    [Test]
    public async Task Report_carries_the_monitors_sample_and_the_clocks_time()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var sample = new ResourceSample { HostCpuLoad = 0.5, BatteryCharge = 0.25 };
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime(), new EdgeAgentOptions { Monitor = new FixedMonitor(sample), TimeProvider = time });
        ResourceReport report = await agent.ReportAsync(default);
        Assert.That(report.Resources, Is.EqualTo(sample));
        Assert.That(report.Timestamp, Is.EqualTo(time.GetUtcNow()));
    }

    private sealed class FixedMonitor(ResourceSample sample) : IResourceMonitor
    {
        public ResourceSample Sample() => sample;
    }

    private sealed class FolderSpy(IPartitionRuntime inner, Action<string> onLoad) : IPartitionRuntime
    {
        public string Name => inner.Name;

        public string ExecutionProvider => inner.ExecutionProvider;

        public ValueTask<EdgeSplit.Devices.Device> CalibrateAsync(CancellationToken cancellationToken) => inner.CalibrateAsync(cancellationToken);

        public ValueTask<IPartitionExecutor> LoadAsync(EdgeSplit.Models.ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken)
        {
            onLoad(blobFolder);
            return inner.LoadAsync(partition, blobFolder, isUrgent, cancellationToken);
        }
    }
}

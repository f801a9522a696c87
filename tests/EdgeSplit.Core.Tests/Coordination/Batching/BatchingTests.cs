using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Batching;

/// <summary>Requests of two rows each, of which a run joins up to four, over two agents.</summary>
public sealed class BatchingTests
{
    private static readonly FakeModel Model = ModelOf("batched", 4);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();

    [Test]
    public async Task Requests_that_fill_a_batch_run_as_one_and_each_gets_its_own_result()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 4);
        int before = cluster.Runtimes["a"].Executions;
        var sizes = new ConcurrentBag<int>();
        using MeterListener listener = Listen(sizes);

        await InferAllAsync(deployment, Model, 4, 4);

        Assert.That(cluster.Runtimes["a"].Executions - before, Is.EqualTo(1));
        Assert.That(deployment.IsBatching);
        Assert.That(sizes, Does.Contain(4));
    }

    [Test]
    public async Task Request_without_company_runs_when_it_has_waited_long_enough()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        Task alone = InferAllAsync(deployment, Model, 0, 1);
        _time.Advance(MaxDelay - TimeSpan.FromMilliseconds(1));
        Assert.That(cluster.Runtimes["a"].Executions, Is.Zero);

        _time.Advance(TimeSpan.FromMilliseconds(1));

        await alone.WaitAsync(Cluster.Limit);
        Assert.That(cluster.Runtimes["a"].Executions, Is.EqualTo(1));
    }

    [Test]
    public async Task Request_as_large_as_a_batch_does_not_wait()
    {
        await using Cluster cluster = await CreateAsync(Model, new BatchingOptions { MaxBatch = 2, MaxDelay = MaxDelay });
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 1).WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Request_given_up_while_it_waits_or_runs_ends_at_once_and_no_other_with_it()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 4);
        using var whileWaiting = new CancellationTokenSource();
        using var whileRunning = new CancellationTokenSource();
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;

        Task<FinalResult> first = deployment.InferAsync(Model.RandomInputs(1), whileWaiting.Token).AsTask();
        await whileWaiting.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => first.WaitAsync(Cluster.Limit));
        Task<FinalResult> second = deployment.InferAsync(Model.RandomInputs(1), whileRunning.Token).AsTask();
        Task others = InferAllAsync(deployment, Model, 5, 3);
        await gate.Reached.WaitAsync(Cluster.Limit);
        await whileRunning.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => second.WaitAsync(Cluster.Limit));
        Assert.That(others.IsCompleted, Is.False);

        gate.Open();
        await others.WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Run_that_all_have_given_up_is_stopped()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 4);
        using var giveUp = new CancellationTokenSource();
        using var gate = new Gate();
        cluster.Runtimes["b"].Executing = gate.Pass;
        Task<FinalResult>[] requests = [.. Enumerable.Range(0, 4).Select(seed => deployment.InferAsync(Model.RandomInputs(seed), giveUp.Token).AsTask())];
        await gate.Reached.WaitAsync(Cluster.Limit);

        await giveUp.CancelAsync();

        foreach (Task<FinalResult> request in requests)
            await Assert.CatchAsync<OperationCanceledException>(() => request.WaitAsync(Cluster.Limit));
        // The gate is still shut, so only a stopped run ends.
        while (cluster.Coordinator.InFlightRequests > 0)
            await Task.Delay(1);
    }

    [Test]
    public async Task Joined_run_that_fails_is_run_again_one_by_one()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 4);
        int failures = 0;
        cluster.Runtimes["a"].Executing = (_, _) =>
        {
            if (Interlocked.Increment(ref failures) == 1)
                throw new InvalidOperationException("too much at once");
        };

        await InferAllAsync(deployment, Model, 4, 4);

        Assert.That(failures, Is.EqualTo(5));
        Assert.That(deployment.IsBatching);
    }

    [Test]
    public async Task Model_whose_rows_depend_on_each_other_is_found_out_and_every_result_is_right()
    {
        // Weights that do not repeat with the rows make a row's result depend on its place.
        FakeModel model = ModelOf("entangled", 12);
        await using Cluster cluster = await CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("entangled");
        Assert.That(deployment.IsBatching);

        await InferAllAsync(deployment, model, 0, 4);

        Assert.That(deployment.IsBatching, Is.False);
        await InferAllAsync(deployment, model, 4, 4);
    }

    [Test]
    public async Task Equal_requests_tell_nothing_so_the_next_ones_are_checked()
    {
        FakeModel model = ModelOf("entangled", 12);
        await using Cluster cluster = await CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("entangled");
        Task<FinalResult>[] same = [.. Enumerable.Range(0, 4).Select(_ => deployment.InferAsync(model.RandomInputs(0)).AsTask())];
        foreach (Task<FinalResult> request in same)
            (await request.WaitAsync(Cluster.Limit)).Dispose();
        Assert.That(deployment.IsBatching);

        await InferAllAsync(deployment, model, 0, 4);

        Assert.That(deployment.IsBatching, Is.False);
    }

    [Test]
    public async Task Model_without_a_batch_dimension_runs_as_ever()
    {
        FakeModel model = FakeModelBuilder.Chain("fixed", 2);
        await using Cluster cluster = await CreateAsync(model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("fixed");
        Assert.That(deployment.IsBatching, Is.False);
        await InferAllAsync(deployment, model, 0, 4);
    }

    [Test]
    public async Task Request_beyond_those_that_may_wait_is_refused_and_the_others_go_on()
    {
        await using Cluster cluster = await CreateAsync(Model, maxQueued: 2);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        Task waiting = InferAllAsync(deployment, Model, 0, 2);

        await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => deployment.InferAsync(Model.RandomInputs(0)).AsTask());

        _time.Advance(MaxDelay);
        await waiting.WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Agent_lost_while_a_batch_runs_loses_no_request()
    {
        await using Cluster cluster = await CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("batched");
        await InferAllAsync(deployment, Model, 0, 4);
        cluster.Agents["b"].Cut();

        await InferAllAsync(deployment, Model, 4, 4);

        Assert.That(deployment.Epoch, Is.EqualTo(2));
    }

    private static FakeModel ModelOf(string name, int weights) => new FakeModelBuilder(name).Input("x", -1, 8)
        .Mix("layer0", ["x"], ["v"], weights).Mix("layer1", ["v"], ["y"], weights).Output("y").Build();

    private Task<Cluster> CreateAsync(FakeModel model, BatchingOptions? batching = null, int maxQueued = 100) => Cluster.CreateAsync(model, agents: 2, Cluster.Defaults with
    {
        Batching = batching ?? new BatchingOptions { MaxBatch = 8, MaxDelay = MaxDelay },
        MaxQueuedRequests = maxQueued,
        TimeProvider = _time,
        Adaptation = null,
    });

    /// <summary>Runs requests of consecutive seeds at a time and checks each result.</summary>
    private static Task InferAllAsync(Deployment deployment, FakeModel model, int firstSeed, int count) =>
        Task.WhenAll(Enumerable.Range(firstSeed, count).Select(async seed =>
        {
            IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(seed);
            using FinalResult result = await deployment.InferAsync(inputs, new RequestOptions { Client = $"client {seed}" }).AsTask().WaitAsync(Cluster.Limit);
            TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
        }));

    private static MeterListener Listen(ConcurrentBag<int> sizes)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == EdgeSplitTelemetry.SourceName && instrument.Name == "edgesplit.batch.size")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((_, size, _, _) => sizes.Add(size));
        listener.Start();
        return listener;
    }
}

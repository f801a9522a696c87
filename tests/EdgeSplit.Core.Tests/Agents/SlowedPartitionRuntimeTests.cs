using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Agents;

public sealed class SlowedPartitionRuntimeTests
{
    [TestCase(0.5)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    public void Constructor_with_a_factor_that_does_not_slow_is_refused(double factor) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = new SlowedPartitionRuntime(new FakePartitionRuntime(), factor));

    [Test]
    public async Task Factor_that_is_changed_holds_for_what_comes_later()
    {
        var runtime = new SlowedPartitionRuntime(new FakePartitionRuntime { Device = new Device { Id = "a", FlopsPerSecond = 8e9 } }, 1) { Factor = 8 };
        Assert.That((await runtime.CalibrateAsync(default)).FlopsPerSecond, Is.EqualTo(1e9));
        Assert.Throws<ArgumentOutOfRangeException>(() => runtime.Factor = 0.5);
        Assert.That(runtime.Factor, Is.EqualTo(8));
    }

    [Test]
    public async Task Calibrate_divides_the_rates()
    {
        var inner = new FakePartitionRuntime { Device = new Device { Id = "a", FlopsPerSecond = 8e9, MemoryBytesPerSecond = 4e9, LayerOverheadSeconds = 1e-6 } };
        Device device = await new SlowedPartitionRuntime(inner, 4).CalibrateAsync(default);
        Assert.That(device.FlopsPerSecond, Is.EqualTo(2e9));
        Assert.That(device.MemoryBytesPerSecond, Is.EqualTo(1e9));
        Assert.That(device.LayerOverheadSeconds, Is.EqualTo(4e-6));
    }

    [Test]
    public async Task Execute_takes_the_factor_times_as_long()
    {
        var time = new FakeTimeProvider();
        var inner = new FakePartitionRuntime { Executing = (_, _) => time.Advance(TimeSpan.FromSeconds(1)) };
        await using var agent = new EdgeAgent("a", new SlowedPartitionRuntime(inner, 3, time), new EdgeAgentOptions { TimeProvider = time });
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(0);
        Task<PartialResult> execution = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, inputs), default).AsTask();
        // One second was computed; the two that are missing pass in steps, so that the wait surely begins before they end.
        while (!execution.IsCompleted && time.GetUtcNow() - time.Start < TimeSpan.FromHours(1))
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }
        using PartialResult result = await execution;
        TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
        Assert.That(result.ComputeTime, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(3)));
    }

    [Test]
    public async Task Execute_cancelled_while_it_waits_leaks_nothing()
    {
        var time = new FakeTimeProvider();
        using var cancellation = new CancellationTokenSource();
        var inner = new FakePartitionRuntime { Executing = (_, _) => time.Advance(TimeSpan.FromSeconds(1)) };
        await using var agent = new EdgeAgent("a", new SlowedPartitionRuntime(inner, 3, time));
        FakeModel model = FakeModelBuilder.Chain("m", 1);
        await agent.LoadAsync(new ModelPartitionRequest("m", model.Whole), model, default);
        Task<PartialResult> execution = agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), model.Whole.Id, model.RandomInputs(0)), cancellation.Token).AsTask();
        while (inner.Ledger.Outstanding == 0)
            await Task.Yield();
        await cancellation.CancelAsync();
        await Assert.CatchAsync<OperationCanceledException>(() => execution.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.That(inner.Ledger.Outstanding, Is.Zero);
    }
}

using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Costs;

public sealed class AgentProfilerTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("chain", 6);

    [Test]
    public async Task Profile_gives_each_layer_its_share_of_what_the_agent_measured()
    {
        var time = new FakeTimeProvider();
        // Each segment of two layers takes 4 s.
        var runtime = new FakePartitionRuntime { Executing = (_, _) => time.Advance(TimeSpan.FromSeconds(4)) };
        await using EdgeAgent agent = Agent(runtime, time);
        using ISplittableModel model = await OpenAsync();
        var options = new AgentProfilerOptions { Segments = 3, RelativeLayerSeconds = [1, 3, 2, 2, 3, 1], TimeProvider = time };

        ImmutableArray<double> seconds = await new AgentProfiler(options).ProfileAsync(model, agent, Model.RandomInputs(0));

        Assert.That(seconds, Is.EqualTo([1.0, 3, 2, 2, 3, 1]).Within(1e-6));
        Assert.That(runtime.LiveExecutors, Is.Zero);
        Assert.That(runtime.Ledger.Outstanding, Is.Zero);
    }

    [Test]
    public async Task Profile_is_taken_from_the_cache_for_the_same_agent_only()
    {
        using var folder = new TemporaryFolder();
        var time = new FakeTimeProvider();
        var runtime = new FakePartitionRuntime { Executing = (_, _) => time.Advance(TimeSpan.FromSeconds(4)) };
        using ISplittableModel model = await OpenAsync();
        var profiler = new AgentProfiler(new AgentProfilerOptions { CacheFolder = folder.Path, TimeProvider = time });
        await using EdgeAgent agent = Agent(runtime, time), other = Agent(runtime, time, "b");

        ImmutableArray<double> first = await profiler.ProfileAsync(model, agent, Model.RandomInputs(0));
        int executions = runtime.Executions;
        Assert.That(await profiler.ProfileAsync(model, agent, Model.RandomInputs(1)), Is.EqualTo(first));
        Assert.That(runtime.Executions, Is.EqualTo(executions));
        await profiler.ProfileAsync(model, other, Model.RandomInputs(0));
        Assert.That(runtime.Executions, Is.GreaterThan(executions));
    }

    [Test]
    public async Task Profile_that_is_cancelled_leaves_nothing_loaded()
    {
        using var stop = new CancellationTokenSource();
        var runtime = new FakePartitionRuntime { Executing = (_, _) => stop.Cancel() };
        await using EdgeAgent agent = Agent(runtime, TimeProvider.System);
        using ISplittableModel model = await OpenAsync();

        Assert.That(
            async () => await new AgentProfiler().ProfileAsync(model, agent, Model.RandomInputs(0), cancellationToken: stop.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That((await agent.ReportAsync(CancellationToken.None)).LoadedPartitions, Is.Zero);
    }

    private static EdgeAgent Agent(FakePartitionRuntime runtime, TimeProvider time, string id = "a") =>
        new(id, runtime, new EdgeAgentOptions { Device = new Device { Id = id }, TimeProvider = time });

    private static ValueTask<ISplittableModel> OpenAsync() => new FakeModelFormat(Model).OpenAsync("chain", CancellationToken.None);
}

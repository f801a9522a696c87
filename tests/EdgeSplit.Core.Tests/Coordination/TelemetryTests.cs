using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

public sealed class TelemetryTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("observed", 4);

    [Test]
    public async Task Infer_is_measured_by_model_and_agent()
    {
        var measured = new ConcurrentBag<(string Instrument, string? Unit, double Value, Dictionary<string, object?> Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == EdgeSplitTelemetry.SourceName)
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();

        await using Cluster cluster = await Cluster.CreateAsync(Model);
        // Other tests measure at the same time; the name tells them apart.
        Deployment deployment = await cluster.Coordinator.DeployAsync("observed", new DeploymentOptions { Name = "measured-here" });
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        cluster.Agents["b"].Cut();
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.InvalidInput, () => deployment.InferAsync(new Dictionary<string, Tensor>()).AsTask());
        cluster.Runtimes["a"].Executing = static (_, _) => throw new InvalidOperationException();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.ExecutionFailed, () => deployment.InferAsync(Model.RandomInputs(0)).AsTask());

        var mine = measured.Where(static item => Equals(item.Tags.GetValueOrDefault("edgesplit.model.name"), "measured-here")).ToLookup(static item => item.Instrument);
        Assert.Multiple(() =>
        {
            Assert.That(mine["edgesplit.request.duration"].Count(), Is.EqualTo(3));
            Assert.That(mine["edgesplit.request.duration"].Select(static item => item.Unit), Has.All.EqualTo("s"));
            Assert.That(mine["edgesplit.request.duration"].Count(static item => Equals(item.Tags.GetValueOrDefault("error.type"), "ExecutionFailed")), Is.EqualTo(1));
            Assert.That(mine["edgesplit.requests.in_flight"].Sum(static item => item.Value), Is.Zero);
            Assert.That(mine["edgesplit.requests.in_flight"].Count(), Is.EqualTo(6));
            Assert.That(mine["edgesplit.stage.duration"].Count(static item => Equals(item.Tags["edgesplit.agent.id"], "b")), Is.EqualTo(1));
            Assert.That(mine["edgesplit.request.retries"].Sum(static item => item.Value), Is.EqualTo(1));
            Assert.That(mine["edgesplit.plan.switches"].Sum(static item => item.Value), Is.EqualTo(1));
        });

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            measured.Add((instrument.Name, instrument.Unit, value, new Dictionary<string, object?>(tags.ToArray())));
    }

    [Test]
    public async Task Infer_is_traced_with_its_stages_under_the_callers_activity()
    {
        var stopped = new ConcurrentBag<Activity>();
        using var source = new ActivitySource("EdgeSplit.Tests.Caller");
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is EdgeSplitTelemetry.SourceName or "EdgeSplit.Tests.Caller",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Add,
        };
        ActivitySource.AddActivityListener(listener);
        await using Cluster cluster = await Cluster.CreateAsync(Model);
        Deployment deployment = await cluster.Coordinator.DeployAsync("observed");
        using Activity caller = source.StartActivity("caller")!;
        (await deployment.InferAsync(Model.RandomInputs(0))).Dispose();

        Activity[] mine = [.. stopped.Where(activity => activity.TraceId == caller.TraceId)];
        Activity request = mine.Single(static activity => activity.OperationName == "edgesplit.request");
        Assert.That(request.ParentSpanId, Is.EqualTo(caller.SpanId));
        Assert.That(request.GetTagItem("edgesplit.model.name"), Is.EqualTo("observed"));
        Activity[] stages = [.. mine.Where(static activity => activity.OperationName == "edgesplit.stage").OrderBy(static activity => (int)activity.GetTagItem("edgesplit.stage")!)];
        Assert.That(stages.Select(static activity => activity.GetTagItem("edgesplit.agent.id")), Is.EqualTo(new[] { "a", "b", "c", "a" }));
        Assert.That(stages.Select(static activity => activity.ParentSpanId), Has.All.EqualTo(request.SpanId));
    }
}

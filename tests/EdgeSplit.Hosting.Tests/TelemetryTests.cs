using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Hosting.Tests;

/// <summary>Traces and metrics of a whole system.</summary>
internal sealed class TelemetryTests
{
    [Test]
    public async Task Request_ofAClient_isOneTraceThroughCoordinatorAndEveryAgent()
    {
        var stopped = new ConcurrentBag<Activity>();
        using var source = new ActivitySource("EdgeSplit.Hosting.Tests.Client");
        using var listener = new ActivityListener
        {
            // The spans of HTTP stand between those of EdgeSplit.
            ShouldListenTo = static _ => true,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using IHost tcp = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "tcp").UseTcp(static options => options.Listen = "127.0.0.1:0"));
        using IHost grpc = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit
            .AddAgent(static options => options.Id = "grpc").UseGrpc(static options => options.Listen = "127.0.0.1:0"));
        await using WebApplication coordinator = await Hosts.StartWebAsync(
            edgeSplit => edgeSplit
                .AddCoordinator(static options => Hosts.SpreadOver(options, 2))
                .UseTcp(options => options.Agents.Add(HostAndPort.Format(tcp.Services.GetRequiredService<AgentServing>().TcpEndPoint!)))
                .UseGrpc(options => options.Agents.Add(grpc.Services.GetRequiredService<AgentServing>().GrpcAddress!)),
            static application => application.MapEdgeSplit());
        await coordinator.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);

        using var client = new GrpcInferenceClient(coordinator.GrpcAddress());
        ActivityTraceId trace;
        using (Activity call = source.StartActivity("call")!)
        {
            trace = call.TraceId;
            (await client.InferAsync("chain", Hosts.Model.RandomInputs(0)).AsTask().WaitAsync(Hosts.Limit)).Dispose();
        }
        // What serves a call ends its span after the answer has gone out.
        await coordinator.StopAsync();
        await Task.WhenAll(tcp.StopAsync(), grpc.StopAsync());

        Activity[] mine = [.. stopped.Where(activity => activity.TraceId == trace)];
        Activity request = mine.Single(static activity => activity.OperationName == "edgesplit.request");
        Activity[] stages = [.. mine.Where(static activity => activity.OperationName == "edgesplit.stage")];
        Activity[] executions = [.. mine.Where(static activity => activity.OperationName == "edgesplit.execute")];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(mine.Select(static activity => activity.OperationName), Does.Contain("edgesplit.grpc/edgesplit.v1.Coordinator/Infer"));
            Assert.That(stages.Select(static activity => activity.ParentSpanId), Is.EqualTo(Enumerable.Repeat(request.SpanId, 4)));
            Assert.That(executions.Select(static activity => activity.GetTagItem("edgesplit.agent.id")), Is.EquivalentTo(["tcp", "tcp", "grpc", "grpc"]));
            Assert.That(executions.Select(RootOf), Has.All.EqualTo("call"));
        }

        string RootOf(Activity activity)
        {
            while (mine.FirstOrDefault(other => other.SpanId == activity.ParentSpanId) is { } parent)
                activity = parent;
            return activity.OperationName;
        }
    }

    [Test]
    public async Task Metrics_ofTheCluster_haveUnits()
    {
        var seen = new ConcurrentDictionary<string, string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EdgeSplitTelemetry.SourceName)
            {
                seen[instrument.Name] = instrument.Unit;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        var agents = new ConcurrentBag<(string? State, int Count)>();
        var bytes = new ConcurrentBag<long>();
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "edgesplit.agents")
                agents.Add((tags[0].Value as string, value));
        });
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) =>
        {
            if (instrument.Name == "edgesplit.stage.io")
                bytes.Add(value);
        });
        listener.Start();
        using IHost host = await Hosts.StartWorkerAsync(static edgeSplit => edgeSplit.AddCoordinator(static options => Hosts.SpreadOver(options, 1)).AddAgent());
        Deployment deployment = await host.Services.GetRequiredService<DeployedModels>().GetAsync("chain").AsTask().WaitAsync(Hosts.Limit);
        (await deployment.InferAsync(Hosts.Model.RandomInputs(0))).Dispose();
        listener.RecordObservableInstruments();
        await host.StopAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(agents, Does.Contain(("available", 1)));
            Assert.That(bytes, Is.Not.Empty.And.All.GreaterThan(0));
            Assert.That(seen["edgesplit.request.duration"], Is.EqualTo("s"));
            Assert.That(seen["edgesplit.stage.io"], Is.EqualTo("By"));
            Assert.That(seen["edgesplit.agent.execution.duration"], Is.EqualTo("s"));
            Assert.That(seen["edgesplit.requests.queued"], Is.EqualTo("{request}"));
            Assert.That(seen["edgesplit.link.bandwidth"], Is.EqualTo("By/s"));
        }
    }
}

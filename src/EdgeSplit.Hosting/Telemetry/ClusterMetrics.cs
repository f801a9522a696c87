using System.Diagnostics.Metrics;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Monitoring;

namespace EdgeSplit.Hosting.Telemetry;

/// <summary>Publishes what a coordinator knows of its agents, under the name of all of EdgeSplit's metrics.</summary>
internal sealed class ClusterMetrics(Coordinator coordinator) : IDisposable
{
    private readonly Meter _meter = new(EdgeSplitTelemetry.SourceName);

    public void Start()
    {
        _meter.CreateObservableGauge("edgesplit.agents", CountAgents, "{agent}", "Agents that the coordinator knows, by what they may be used for.");
        _meter.CreateObservableGauge("edgesplit.agent.cpu.utilization", () => Of(static resources => resources.HostCpuLoad), "1", "The share of an agent's processors that is in use.");
        _meter.CreateObservableGauge("edgesplit.agent.memory.available", () => Of(static resources => resources.AvailableMemoryBytes), "By", "Memory that could be taken on an agent.");
        _meter.CreateObservableGauge("edgesplit.agent.memory.usage", () => Of(static resources => resources.ProcessMemoryBytes), "By", "Memory that an agent's process holds.");
        _meter.CreateObservableGauge("edgesplit.agent.pending", Pending, "{execution}", "Stages that run or wait on an agent.");
        _meter.CreateObservableGauge("edgesplit.link.latency", () => Links(static agent => agent.Link.Latency.TotalSeconds), "s", "The latency of the link to an agent.");
        _meter.CreateObservableGauge("edgesplit.link.bandwidth", () => Links(static agent => agent.Link.BytesPerSecond), "By/s", "The bandwidth of the link to an agent.");
        _meter.CreateObservableGauge("edgesplit.plan.epoch", Epochs, "1", "The number of the plan that a model runs on.");
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> AgentTag(string id) => new("edgesplit.agent.id", id);

    private IEnumerable<Measurement<int>> CountAgents()
    {
        ILookup<AgentState, AgentStatus> byState = coordinator.AgentStates.ToLookup(static agent => agent.State);
        return Enum.GetValues<AgentState>().Select(state => new Measurement<int>(byState[state].Count(), new KeyValuePair<string, object?>("edgesplit.agent.state", state.ToString().ToLowerInvariant())));
    }

    private IEnumerable<Measurement<double>> Of(Func<ResourceSample, double?> read)
    {
        foreach (AgentStatus agent in Reachable())
        {
            if (agent.LatestReport is { } report && read(report.Resources) is { } value)
                yield return new Measurement<double>(value, AgentTag(agent.Id));
        }
    }

    private IEnumerable<Measurement<int>> Pending() => Reachable()
        .Where(static agent => agent.LatestReport is not null)
        .Select(static agent => new Measurement<int>(agent.LatestReport!.PendingExecutions, AgentTag(agent.Id)));

    private IEnumerable<Measurement<double>> Links(Func<AgentStatus, double> read) => Reachable()
        .Select(agent => (agent.Id, Value: read(agent)))
        .Where(static link => double.IsFinite(link.Value))
        .Select(static link => new Measurement<double>(link.Value, AgentTag(link.Id)));

    private IEnumerable<Measurement<long>> Epochs() => coordinator.Deployments
        .Select(static deployment => new Measurement<long>(deployment.Epoch, new KeyValuePair<string, object?>("edgesplit.model.name", deployment.Name)));

    private IEnumerable<AgentStatus> Reachable() => coordinator.AgentStates.Where(static agent => agent.State != AgentState.Lost);
}

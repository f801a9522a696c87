using EdgeSplit.Agents;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>Agents as a coordinator knows them, of one processor each, on whose links and loads a test decides.</summary>
internal static class AgentEntries
{
    public static Link Usual { get; } = new() { Latency = TimeSpan.FromMilliseconds(1), BytesPerSecond = 10e6 };

    public static AgentEntry Create(string id, Link? link = null) => Create(id, out _, link);

    public static AgentEntry Create(string id, out FlakyAgent agent, Link? link = null)
    {
        var device = new Device { Id = id };
        agent = new FlakyAgent(new EdgeAgent(id, new FakePartitionRuntime(), new EdgeAgentOptions { Device = device }));
        return new AgentEntry(agent, new AgentDescription { Device = device, Runtime = "fake", ExecutionProvider = "CPU", ProcessorCount = 1 }, link ?? Usual);
    }

    /// <summary>Lets an agent report what other programs take, so often that it counts.</summary>
    public static void ReportOtherLoad(this AgentEntry entry, double share)
    {
        for (int report = 0; report < 5; report++)
            entry.OtherLoad.Add(new ResourceSample { HostCpuLoad = share, ProcessCpuLoad = 0 }, 0);
    }
}

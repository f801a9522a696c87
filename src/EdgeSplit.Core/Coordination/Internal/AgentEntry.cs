using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>An agent as the coordinator knows it. What changes is guarded by the registry's lock; reads may be a moment old.</summary>
/// <param name="agent">The agent.</param>
/// <param name="description">What it says of itself.</param>
/// <param name="link">The link to it, as stated or measured.</param>
/// <param name="compression">Chooses how tensors travel over the link, unless it states that; null for as they are.</param>
internal sealed class AgentEntry(IEdgeAgent agent, AgentDescription description, Link link, CompressionOptions? compression = null)
{
    private volatile ResourceReport? _latestReport;
    private readonly MemoryPressure _memory = new();
    private int _loads;
    private volatile Link _link = compression?.Choose(link) ?? link;

    public IEdgeAgent Agent => agent;

    public string Id => agent.Id;

    public AgentDescription Description => description;

    /// <summary>The link between the coordinator and the agent, both ways, as last measured.</summary>
    public Link Link => _link;

    /// <summary>How tensors travel to and from the agent now.</summary>
    public ActivationEncoding Encoding => _link.Compression?.Encoding ?? ActivationEncoding.None;

    /// <summary>Takes over what the link has become, and chooses anew how tensors travel over it.</summary>
    public void Revise(Link revised) =>
        _link = compression is not null && link.Compression is null ? compression.Choose(revised with { Compression = null }) : revised;

    public AgentState State { get; set; }

    public DateTimeOffset Since { get; set; }

    public string Reason { get; set; } = "";

    /// <summary>When a quarantine ends.</summary>
    public DateTimeOffset Until { get; set; }

    /// <summary>Whether plans may use the agent.</summary>
    public bool IsUsable => State == AgentState.Available;

    public ResourceReport? LatestReport { get => _latestReport; set => _latestReport = value; }

    /// <summary>Whether the agent has had less memory left than shall be, in several reports.</summary>
    public bool IsShortOfMemory => _memory.IsShort;

    /// <summary>Takes in a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="leastFreeMemoryBytes">The memory that shall be left.</param>
    public void TakeIn(ResourceReport report, long leastFreeMemoryBytes)
    {
        LatestReport = report;
        _memory.Add(report.Resources.AvailableMemoryBytes, leastFreeMemoryBytes);
    }

    /// <summary>The weights that the agent is known to hold.</summary>
    public HeldBlobs Held { get; } = new();

    /// <summary>Whether it makes a partition ready now, beside which its stages say little of the device.</summary>
    public bool IsLoading => Volatile.Read(ref _loads) > 0;

    /// <summary>Counts a load that begins (1) or ends (-1).</summary>
    public void CountLoads(int by) => Interlocked.Add(ref _loads, by);

    /// <summary>What loads take here.</summary>
    public LoadTimes LoadTimes { get; } = new();

    /// <summary>What other programs take of the device, from its reports.</summary>
    public LoadEstimate OtherLoad { get; } = new();

    /// <summary>
    /// The share of one of the device's processors that other programs leave its stages without: what they take goes to idle
    /// processors first.
    /// </summary>
    public double EffectiveLoad
    {
        get
        {
            int processors = Math.Max(description.ProcessorCount, 1);
            return Math.Clamp((OtherLoad.Share * processors) + 1 - processors, 0, 0.95);
        }
    }

    /// <summary>The device as plans shall see it now.</summary>
    public Device Device => EffectiveLoad > 0 ? description.Device with { CurrentLoad = EffectiveLoad } : description.Device;

    public AgentStatus ToStatus() => new(description, State, Since, Reason, Link, LatestReport);
}

using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>What is left of each device for one model: other models' plans hold memory there and compute, and where memory is short some must be given back.</summary>
/// <param name="deployment">The model's deployment; null for one that is not deployed yet.</param>
/// <param name="all">All deployments.</param>
/// <param name="leastFreeMemoryBytes">The memory that shall be left on each agent.</param>
internal sealed class DeviceShares(Deployment? deployment, IReadOnlyCollection<Deployment> all, long leastFreeMemoryBytes)
{
    // A device is never taken for one that gives nothing at all.
    private const double MostLoad = 0.95;

    private readonly PlanEpoch[] _others = [.. all.Where(other => other != deployment).Select(static other => other.CurrentEpoch).OfType<PlanEpoch>()];

    /// <summary>The device of an agent, as plans of the model shall see it.</summary>
    public Device Of(AgentEntry agent)
    {
        Device device = agent.Device;
        if (_others.Length > 0)
        {
            double load = _others.Sum(other => other.LoadOn(agent));
            if (load > 0)
                device = device with { CurrentLoad = Math.Min(device.CurrentLoad + load, Math.Max(device.CurrentLoad, MostLoad)) };
        }
        long memory = MemoryFor(agent, device.MemoryBytes);
        return memory == device.MemoryBytes ? device : device with { MemoryBytes = memory };
    }

    private long MemoryFor(AgentEntry agent, long bytes)
    {
        long others = _others.Sum(other => other.MemoryOn(agent));
        long left = bytes == long.MaxValue ? bytes : Math.Max(bytes - others, 0);
        if (!agent.IsShortOfMemory || agent.LatestReport?.Resources.AvailableMemoryBytes is not long free)
            return left;
        // What the model holds there, less what is missing.
        long held = deployment?.CurrentEpoch?.MemoryOn(agent) ?? 0;
        return Math.Min(left, Math.Max(held - Math.Max(leastFreeMemoryBytes - free, 0), 0));
    }
}

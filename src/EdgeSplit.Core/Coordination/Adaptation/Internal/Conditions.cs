using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What was known of the agents when a deployment's plan was last weighed.</summary>
internal sealed class Conditions(int version, ImmutableArray<AgentEntry> agents)
{
    private readonly Dictionary<AgentEntry, (double Load, Link Link, bool IsShort)> _known = agents.ToDictionary(static entry => entry, static entry => (entry.EffectiveLoad, entry.Link, entry.IsShortOfMemory));

    /// <summary>The version of the agents.</summary>
    public int Version => version;

    /// <summary>The agents that plans could use.</summary>
    public IEnumerable<string> AgentIds => agents.Select(static entry => entry.Id);

    /// <summary>What has changed since, by as much as counts; null where nothing has.</summary>
    public (RepartitionTrigger Trigger, string Cause)? FindChange(int versionNow, ImmutableArray<AgentEntry> agentsNow, Func<AgentEntry, bool> isUsed, AdaptationOptions options)
    {
        if (versionNow != version)
        {
            // A lost agent's stages have moved already.
            if (_known.Keys.FirstOrDefault(entry => isUsed(entry) && entry.State != AgentState.Lost && !agentsNow.Contains(entry)) is { } gone)
                return (RepartitionTrigger.AgentWent, $"Plans must leave out agent '{gone.Id}': {gone.Reason}.");
            AgentEntry[] come = [.. agentsNow.Where(entry => !_known.ContainsKey(entry))];
            if (come.Length > 0)
                return (RepartitionTrigger.AgentCame, $"{(come.Length == 1 ? "Agent" : "Agents")} {string.Join(", ", come.Take(5).Select(static entry => $"'{entry.Id}'"))}{(come.Length > 5 ? $" and {come.Length - 5} more" : "")} came.");
        }
        foreach (AgentEntry entry in agentsNow)
        {
            if (!_known.TryGetValue(entry, out (double Load, Link Link, bool IsShort) before))
                continue;
            if (entry.IsShortOfMemory != before.IsShort && (isUsed(entry) || before.IsShort))
            {
                return (RepartitionTrigger.Memory, string.Create(
                    CultureInfo.InvariantCulture,
                    $"Agent '{entry.Id}' has {entry.LatestReport?.Resources.AvailableMemoryBytes / 1048576.0:0} MiB of memory left; {options.LeastFreeMemoryBytes / 1048576.0:0} shall be{(before.IsShort ? ", which is enough again" : "")}."));
            }
            if (Math.Abs(entry.EffectiveLoad - before.Load) > options.OtherLoadChange)
                return (RepartitionTrigger.OtherLoad, string.Create(CultureInfo.InvariantCulture, $"Other programs take {entry.EffectiveLoad:0%} of agent '{entry.Id}'; it was {before.Load:0%}."));
            if (entry.Link != before.Link && HasChanged(entry.Link, before.Link, options.LinkTimeChange))
            {
                return (RepartitionTrigger.LinkTime, string.Create(
                    CultureInfo.InvariantCulture,
                    $"The link to agent '{entry.Id}' has {entry.Link.BytesPerSecond / 1e6:0.##} MB/s and {entry.Link.Latency.TotalMilliseconds:0.##} ms; it had {before.Link.BytesPerSecond / 1e6:0.##} MB/s and {before.Link.Latency.TotalMilliseconds:0.##} ms."));
            }
        }
        return null;
    }

    private static bool HasChanged(Link now, Link before, double share)
    {
        double bandwidth = now.BytesPerSecond / before.BytesPerSecond;
        return bandwidth > 1 + share || bandwidth < 1 / (1 + share) || Math.Abs((now.Latency - before.Latency).TotalMilliseconds) > 1 + (before.Latency.TotalMilliseconds * share);
    }
}

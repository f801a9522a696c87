using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What was known of the agents when a deployment's plan was last weighed.</summary>
internal sealed class Conditions(int version, ImmutableArray<AgentEntry> agents, PeerLinks? peers = null)
{
    private readonly Dictionary<(AgentEntry From, AgentEntry To), Link?> _direct = peers is null ? [] : new(peers.Known);

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
                return (RepartitionTrigger.LinkTime, Describe($"The link to agent '{entry.Id}'", entry.Link, before.Link));
        }
        return FindDirectChange(agentsNow, options);
    }

    /// <summary>What has changed of the links between agents. One that is looked for later than the others counts from then on.</summary>
    private (RepartitionTrigger Trigger, string Cause)? FindDirectChange(ImmutableArray<AgentEntry> agentsNow, AdaptationOptions options)
    {
        foreach (((AgentEntry from, AgentEntry to), Link? now) in peers?.Known ?? [])
        {
            if (_direct.TryAdd((from, to), now) || !agentsNow.Contains(from) || !agentsNow.Contains(to))
                continue;
            Link? before = _direct[(from, to)];
            if (now is null != before is null)
                return (RepartitionTrigger.LinkTime, $"Agent '{from.Id}' {(now is null ? "no longer reaches" : "reaches")} agent '{to.Id}' directly.");
            if (now is not null && now != before && HasChanged(now, before!, options.LinkTimeChange))
                return (RepartitionTrigger.LinkTime, Describe($"The link from agent '{from.Id}' to agent '{to.Id}'", now, before!));
        }
        return null;
    }

    /// <summary>Whether nothing has corrected the link to an agent since.</summary>
    public bool HasSameLink(AgentEntry agent) => !_known.TryGetValue(agent, out (double Load, Link Link, bool IsShort) before) || before.Link == agent.Link;

    /// <summary>Whether nothing has corrected the link from one agent to another since.</summary>
    public bool HasSameLink(AgentEntry from, AgentEntry to) => !_direct.TryGetValue((from, to), out Link? before) || before == peers?.Find(from, to);

    private static string Describe(string link, Link now, Link before) => string.Create(
        CultureInfo.InvariantCulture,
        $"{link} has {now.BytesPerSecond / 1e6:0.##} MB/s and {now.Latency.TotalMilliseconds:0.##} ms; it had {before.BytesPerSecond / 1e6:0.##} MB/s and {before.Latency.TotalMilliseconds:0.##} ms.");

    private static bool HasChanged(Link now, Link before, double share)
    {
        double bandwidth = now.BytesPerSecond / before.BytesPerSecond;
        return bandwidth > 1 + share || bandwidth < 1 / (1 + share) || Math.Abs((now.Latency - before.Latency).TotalMilliseconds) > 1 + (before.Latency.TotalMilliseconds * share);
    }
}

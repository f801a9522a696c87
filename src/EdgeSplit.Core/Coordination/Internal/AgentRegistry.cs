using System.Collections.Immutable;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The agents of a coordinator.</summary>
internal sealed class AgentRegistry
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, AgentEntry> _entries = new(StringComparer.Ordinal);

    /// <summary>Counts up with each change of what plans may use.</summary>
    public int Version { get; private set; }

    public ImmutableArray<AgentEntry> All
    {
        get
        {
            lock (_lock)
                return [.. _entries.Values];
        }
    }

    /// <summary>The agents that plans may use, in the order of their ids, so that equal fleets give equal plans.</summary>
    public ImmutableArray<AgentEntry> Usable
    {
        get
        {
            lock (_lock)
                return [.. _entries.Values.Where(static entry => entry.IsUsable).OrderBy(static entry => entry.Id, StringComparer.Ordinal)];
        }
    }

    public AgentEntry? Find(string id)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(id);
    }

    /// <summary>Adds an agent; one of the same id that was lost is returned, to be disposed of.</summary>
    public AgentEntry? Add(AgentEntry entry)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue(entry.Id, out AgentEntry? old) && old.IsUsable)
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"There is an agent '{entry.Id}' already. Give each agent an id of its own.");
            _entries[entry.Id] = entry;
            Version++;
            return old;
        }
    }

    public void Remove(AgentEntry entry)
    {
        lock (_lock)
        {
            if (_entries.GetValueOrDefault(entry.Id) == entry)
                _entries.Remove(entry.Id);
            Version++;
        }
    }

    /// <summary>Says whether plans may use an agent; false where that was so already.</summary>
    public bool SetUsable(AgentEntry entry, bool usable)
    {
        lock (_lock)
        {
            if (entry.IsUsable == usable)
                return false;
            entry.IsUsable = usable;
            Version++;
            return true;
        }
    }
}

using System.Collections.Immutable;
using EdgeSplit.Coordination.Membership;

namespace EdgeSplit.Coordination.Internal;

/// <summary>The agents of a coordinator, and what became of them.</summary>
internal sealed class AgentRegistry(TimeProvider time, MembershipOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, AgentEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FlapHistory> _histories = new(StringComparer.Ordinal);
    private ImmutableArray<AgentEntry>? _usable;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Told of each change, after it and outside of the lock.</summary>
    public event Action<AgentStatus>? Changed;

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
                return _usable ??= [.. _entries.Values.Where(static entry => entry.IsUsable).OrderBy(static entry => entry.Id, StringComparer.Ordinal)];
        }
    }

    public AgentEntry? Find(string id)
    {
        lock (_lock)
            return _entries.GetValueOrDefault(id);
    }

    /// <summary>Adds an agent; one of the same id that was lost is returned, to be disposed of. One that comes and goes is quarantined.</summary>
    public AgentEntry? Add(AgentEntry entry)
    {
        AgentEntry? old;
        lock (_lock)
        {
            if (_entries.TryGetValue(entry.Id, out old) && old.State != AgentState.Lost)
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"There is an agent '{entry.Id}' already. Give each agent an id of its own.");
            _entries[entry.Id] = entry;
            if (_histories.GetValueOrDefault(entry.Id)?.QuarantineAt(time.GetUtcNow(), options) is TimeSpan quarantine)
            {
                entry.Until = time.GetUtcNow() + quarantine;
                Set(entry, AgentState.Quarantined, string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"it was lost {options.FlapLimit} times or more within {options.FlapWindow.TotalSeconds:0.#} s; plans may use it again in {quarantine.TotalSeconds:0.#} s"));
            }
            else
            {
                Set(entry, AgentState.Available, "");
            }
        }
        Changed?.Invoke(entry.ToStatus());
        return old;
    }

    public void Remove(AgentEntry entry)
    {
        lock (_lock)
        {
            if (_entries.GetValueOrDefault(entry.Id) == entry)
                _entries.Remove(entry.Id);
            Touch();
        }
        Changed?.Invoke(entry.ToStatus());
    }

    /// <summary>Changes what an agent may be used for; false where it was not in the state that is left.</summary>
    public bool Move(AgentEntry entry, AgentState from, AgentState to, string reason)
    {
        lock (_lock)
        {
            if (entry.State != from)
                return false;
            Set(entry, to, reason);
        }
        Changed?.Invoke(entry.ToStatus());
        return true;
    }

    /// <summary>Notes that an agent is lost; false where that was known.</summary>
    public bool Lose(AgentEntry entry, string reason)
    {
        lock (_lock)
        {
            if (entry.State == AgentState.Lost)
                return false;
            if (!_histories.TryGetValue(entry.Id, out FlapHistory? history))
                _histories.Add(entry.Id, history = new FlapHistory());
            history.NoteLoss(time.GetUtcNow(), options);
            Set(entry, AgentState.Lost, reason);
        }
        Changed?.Invoke(entry.ToStatus());
        return true;
    }

    /// <summary>Waits until what plans may use is no longer as it was at a version.</summary>
    public Task WaitForChangeAsync(int version)
    {
        lock (_lock)
            return Version == version ? _changed.Task : Task.CompletedTask;
    }

    private void Set(AgentEntry entry, AgentState state, string reason)
    {
        (entry.State, entry.Since, entry.Reason) = (state, time.GetUtcNow(), reason);
        Touch();
    }

    private void Touch()
    {
        Version++;
        _usable = null;
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

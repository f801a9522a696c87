using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Membership;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Asks every agent for its report, a share of them with each tick of one timer, and finds those that no longer answer.
/// </summary>
/// <remarks>
/// A lease is counted in ticks rather than in time: where this process itself does not get to run, ticks are left out, and no agent
/// is blamed for that.
/// </remarks>
internal sealed class AgentWatch : IAsyncDisposable
{
    private const int TicksPerInterval = 8;

    private readonly AgentRegistry _agents;
    private readonly Action<AgentEntry, Exception> _lost;
    private readonly Action<bool> _ticked;
    private readonly int _leaseTicks;
    private readonly long _leastFreeMemoryBytes;
    private readonly PeriodicTimer _timer;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Dictionary<AgentEntry, Watched> _watched = [];
    private readonly TimeProvider _time;
    private readonly Task _running;
    private volatile Dictionary<string, double> _sharesByHost = [];

    /// <param name="agents">The agents.</param>
    /// <param name="options">How often to ask, and how long to wait.</param>
    /// <param name="time">The clock.</param>
    /// <param name="lost">Told of an agent that does not answer any more.</param>
    /// <param name="ticked">Called with each tick, and told whether an interval has ended.</param>
    /// <param name="leastFreeMemoryBytes">The memory that shall be left on each agent.</param>
    public AgentWatch(AgentRegistry agents, MembershipOptions options, TimeProvider time, Action<AgentEntry, Exception> lost, Action<bool> ticked, long leastFreeMemoryBytes)
    {
        _leastFreeMemoryBytes = leastFreeMemoryBytes;
        _agents = agents;
        _time = time;
        _lost = lost;
        _ticked = ticked;
        TimeSpan tick = options.ReportInterval / TicksPerInterval;
        _leaseTicks = Math.Max((int)Math.Ceiling(options.Lease / tick), 1);
        _timer = new PeriodicTimer(tick, time);
        _running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _timer.Dispose();
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        long tick = 0;
        while (await _timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false))
        {
            ImmutableArray<AgentEntry> agents = _agents.All;
            foreach (AgentEntry entry in agents)
            {
                if (entry.State == AgentState.Lost)
                {
                    _watched.Remove(entry);
                    continue;
                }
                if (!_watched.TryGetValue(entry, out Watched? watched))
                    _watched.Add(entry, watched = new Watched(_watched.Count % TicksPerInterval));
                if (entry.State == AgentState.Quarantined && _time.GetUtcNow() >= entry.Until)
                    _agents.Move(entry, AgentState.Quarantined, AgentState.Available, "");
                Check(entry, watched, tick);
            }
            if (_watched.Count > agents.Length)
                ForgetAllBut(agents);
            bool isInterval = tick++ % TicksPerInterval == 0;
            if (isInterval)
                _sharesByHost = SumShares(agents);
            _ticked(isInterval);
        }
    }

    private void Check(AgentEntry entry, Watched watched, long tick)
    {
        if (watched.Asked is { IsCompleted: false })
        {
            if (tick - watched.AskedTick >= _leaseTicks)
                _lost(entry, new TimeoutException("It owes a report for longer than its lease."));
            return;
        }
        if (watched.Asked?.Exception?.InnerException is { } failure && (failure is EdgeSplitException { Error: EdgeSplitError.AgentUnavailable } or ObjectDisposedException))
        {
            _lost(entry, failure);
            return;
        }
        if (tick % TicksPerInterval != watched.Turn)
            return;
        watched.AskedTick = tick;
        watched.Asked = null;
        try
        {
            ValueTask<ResourceReport> asked = entry.Agent.ReportAsync(_stopping.Token);
            if (asked.IsCompletedSuccessfully)
                Take(entry, asked.Result);
            else
                watched.Asked = TakeAsync(entry, asked);
        }
        catch (Exception exception)
        {
            watched.Asked = Task.FromException(exception);
        }
    }

    private void ForgetAllBut(ImmutableArray<AgentEntry> agents)
    {
        foreach (AgentEntry gone in _watched.Keys.Except(agents).ToArray())
            _watched.Remove(gone);
    }

    private async Task TakeAsync(AgentEntry entry, ValueTask<ResourceReport> asked) => Take(entry, await asked.ConfigureAwait(false));

    private void Take(AgentEntry entry, ResourceReport report)
    {
        // Numbers start again with the agent; a lower one that was sent later is one of its next run.
        if (entry.LatestReport is { } latest && report.SequenceNumber <= latest.SequenceNumber && report.Timestamp <= latest.Timestamp)
            return;
        double before = entry.LatestReport?.Resources.ProcessCpuLoad ?? 0;
        entry.TakeIn(report, _leastFreeMemoryBytes);
        entry.OtherLoad.Add(report.Resources, OtherAgentsShare(entry, before));
    }

    /// <summary>What the agents of each machine take of it together.</summary>
    private static Dictionary<string, double> SumShares(ImmutableArray<AgentEntry> agents)
    {
        var shares = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (AgentEntry entry in agents)
        {
            if (entry.State != AgentState.Lost && entry.LatestReport?.Resources.ProcessCpuLoad is double share)
                shares[entry.Description.HostName] = shares.GetValueOrDefault(entry.Description.HostName) + share;
        }
        return shares;
    }

    private double OtherAgentsShare(AgentEntry entry, double own)
    {
        string host = entry.Description.HostName;
        return host.Length == 0 ? 0 : Math.Max(_sharesByHost.GetValueOrDefault(host) - own, 0);
    }

    private sealed class Watched(int turn)
    {
        /// <summary>The tick of each interval at which the agent is asked, so that many are not asked at once.</summary>
        public int Turn => turn;

        public long AskedTick { get; set; }

        /// <summary>The question that was not answered at once.</summary>
        public Task? Asked { get; set; }
    }
}

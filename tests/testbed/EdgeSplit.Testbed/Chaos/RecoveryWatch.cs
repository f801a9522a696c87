using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Chaos;

/// <summary>Takes the time from a fault until it is noticed, and until requests run on another plan.</summary>
internal sealed class RecoveryWatch : IDisposable
{
    private readonly Coordinator _coordinator;
    private readonly RequestLoad _load;
    private readonly string _agentId;
    private readonly long _epoch;
    private readonly bool _stoodBy;
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<(long At, RepartitionDecision Decision)> _decisions = [];
    private long _detected;
    private long _served;

    public RecoveryWatch(Coordinator coordinator, Deployment deployment, RequestLoad load, string agentId)
    {
        _coordinator = coordinator;
        _load = load;
        _agentId = agentId;
        _epoch = deployment.Epoch;
        _stoodBy = deployment.StandbyPlans.Any(plan => plan.LostAgentId == agentId && plan.Readiness == StandbyReadiness.Loaded);
        coordinator.AgentChanged += OnAgentChanged;
        coordinator.DecisionMade += OnDecision;
        load.Ended += OnEnded;
    }

    /// <summary>Waits until a request has run on another plan, or for a time at most.</summary>
    public async Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        try
        {
            await _recovered.Task.WaitAsync(longest, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Then the report says so.
        }
    }

    public Fault Describe(FaultKind kind)
    {
        TimeSpan[] latencies = [.. _load.Outcomes.Where(outcome => outcome.Ended > _started).Select(static outcome => outcome.Latency)];
        return new Fault(kind, _agentId, Since(_detected), Since(_served), Latencies.At(latencies, 100), Latencies.At(latencies, 99), latencies.Length, _stoodBy, Course());
    }

    public void Dispose()
    {
        _coordinator.AgentChanged -= OnAgentChanged;
        _coordinator.DecisionMade -= OnDecision;
        _load.Ended -= OnEnded;
    }

    private TimeSpan? Since(long timestamp) => timestamp == 0 ? null : Stopwatch.GetElapsedTime(_started, timestamp);

    private void OnAgentChanged(object? sender, AgentStatus status)
    {
        if (status.Id == _agentId && status.State == AgentState.Lost)
            Interlocked.CompareExchange(ref _detected, Stopwatch.GetTimestamp(), 0);
    }

    private string Course() => string.Join("; ", _decisions.Select(made => string.Create(
        CultureInfo.InvariantCulture,
        $"{(_detected == 0 ? double.NaN : Stopwatch.GetElapsedTime(_detected, made.At).TotalMilliseconds):0}: {(made.Decision.Switched ? "switched" : "stayed")} for {made.Decision.Trigger} after {made.Decision.Elapsed.TotalMilliseconds:0}, {made.Decision.Reason}")));

    private void OnDecision(object? sender, RepartitionDecision decision)
    {
        _decisions.Enqueue((Stopwatch.GetTimestamp(), decision));
        if (decision.Trigger is RepartitionTrigger.LinkTime)
            Interlocked.CompareExchange(ref _detected, Stopwatch.GetTimestamp(), 0);
    }

    private void OnEnded(LoadOutcome outcome)
    {
        if (outcome.Epoch <= _epoch)
            return;
        Interlocked.CompareExchange(ref _served, outcome.Ended, 0);
        _recovered.TrySetResult();
    }
}

using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Watches whether the conditions that a deployment's plan was made for still hold, and when not looks for another plan and lets
/// the policy decide. Each decision, taken or not, makes the conditions of its moment what later ones are compared with.
/// </summary>
/// <param name="coordinator">The coordinator.</param>
/// <param name="deployment">The deployment.</param>
/// <param name="stager">Takes plans' parts from the model.</param>
/// <param name="standby">What is kept ready for losses; null for nothing.</param>
/// <param name="recovery">What looks after agents that had become slow.</param>
/// <param name="options">What counts as a change.</param>
internal sealed class DeploymentAdapter(Coordinator coordinator, Deployment deployment, EpochStager stager, Standby? standby, RecoveryCheck recovery, AdaptationOptions options)
{
    private const int RunsAfterChange = 6;

    // Routes whose shares differ by less are the same plan.
    private const double NegligibleShare = 0.02;
    private static readonly TimeSpan LeastSwitchTime = TimeSpan.FromSeconds(0.5);
    // What takes longer is done without if that costs no more than the rest of the gain.
    private static readonly TimeSpan LongSwitch = TimeSpan.FromSeconds(2);
    private const double SufficientShare = 0.9;

    // Requests that will take half of the time may take longer while the plan is loaded; and so much is an answer to whatever has happened.
    private const double LargeGain = 0.5;

    // Times that the plan in use costs more by now: no noise does that.
    private const double TellingRise = 2;
    private static readonly TimeSpan RetryAfterFailure = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(5);

    private readonly TimeProvider _time = coordinator.Options.TimeProvider;
    private PlanEpoch? _epoch;
    private Conditions? _conditions;
    private readonly Queue<long> _switches = [];
    private long _epochSince;
    private long _switchedAt;
    private long _searchedAt;
    private long? _askAgainAt;
    private Trigger? _askAgain;
    private Task _searching = Task.CompletedTask;
    private SwitchAttempt? _attempt;

    /// <summary>All that runs, for the deployment to wait for when it ends.</summary>
    public Task Running => Task.WhenAll(_searching, recovery.Checking);

    /// <summary>Looks for a change; called about once a report interval, never twice at the same time.</summary>
    public void Tick(CancellationToken cancellationToken)
    {
        if (deployment.CurrentEpoch is not { } epoch)
            return;
        long now = _time.GetTimestamp();
        if (!_searching.IsCompleted)
        {
            GiveUpOvertaken(slow: null);
            return;
        }
        if (epoch != _epoch)
        {
            (_epoch, _epochSince, _conditions, _askAgainAt) = (epoch, now, epoch.MadeFor ?? coordinator.Observe(), null);
            if (epoch.StandsInAfter is { } kind)
                (_askAgainAt, _askAgain) = (now, new Trigger(kind, "One agent runs for the time being what another ran."));
            else
                _switchedAt = now;
            return;
        }
        if (_time.GetElapsedTime(_searchedAt, now) < options.SearchInterval || FindTrigger(epoch, now, cancellationToken) is not { } found)
        {
            standby?.Tick(epoch, _time.GetElapsedTime(_epochSince, now), cancellationToken);
            return;
        }
        _searching = Task.Run(() => SearchAsync(epoch, found, now, cancellationToken), CancellationToken.None);
    }

    /// <summary>
    /// Gives up the switch that is being made where the plan gains nothing by now, or its weights take much longer: those that are on their way may need a
    /// link that became slow meanwhile. Where a link that tensors are on was found slow, also where the plan gains less than half of what it was to gain; where the
    /// switch takes too long, for anything but a large gain. And where the plan in use costs more than twice what it did, unless the other one would more than halve that: what
    /// was found for small reasons is then no answer any more.
    /// </summary>
    /// <param name="slow">The link that was found slow; null where none was.</param>
    public void GiveUpOvertaken(WatchedLink? slow)
    {
        if (Volatile.Read(ref _attempt) is not { } attempt)
            return;
        try
        {
            foreach (StageChange change in FindChanges(attempt.Epoch).Compute)
                KeepLatest(attempt.Epoch, change);
            (double gain, double cost) = Weigh(deployment.CreateProblem(attempt.Epoch.Plan), attempt.Plan);
            TimeSpan moveTime = SwitchEstimate.Of(attempt.Epoch, attempt.Targets).MoveTime;
            // A policy may also want a plan that gains nothing.
            double least = slow is not null ? attempt.Gain - (Math.Abs(attempt.Gain) / 2) : Math.Min(attempt.Gain, 0);
            bool isTooLittle = gain < LargeGain && cost > TellingRise * attempt.Cost;
            bool isTooLong = gain < LargeGain && _time.GetTimestamp() >= attempt.OverdueAt && attempt.Gain > 0;
            if (gain >= least && !isTooLittle && !isTooLong && moveTime < (2 * attempt.Estimate.MoveTime) + LeastSwitchTime)
                return;
            string cause = slow is not null ? $"Answers are overdue over {slow}. " : FindChange(attempt.Epoch, attempt.Conditions) is { } found ? found.Cause + " " : "";
            attempt.WhyGivenUp ??= cause + (double.IsFinite(gain)
                ? string.Create(CultureInfo.InvariantCulture, $"The other plan would gain {gain:0.0%} instead of {attempt.Gain:0.0%}, and its weights would take {moveTime.TotalSeconds:0.0} s.")
                : "The other plan can be used no more.");
            // Nothing is being made while it waits for another switch to end.
            if (!deployment.GiveUpSwitch())
                attempt.WhyGivenUp = null;
        }
        catch (Exception exception)
        {
            // Cost models are the user's; the switch goes on.
            coordinator.Logger.SearchFailed(exception, deployment.Name);
        }
    }

    /// <summary>What a plan gains by what is known now, whatever its partitioner says of it (negative infinity where it can be used no more), and what the plan in use costs.</summary>
    private static (double Gain, double Cost) Weigh(PartitionProblem problem, PartitionPlan plan)
    {
        var evaluator = new PlanEvaluator(problem);
        PlanEvaluation? current = problem.IsCurrentComplete ? evaluator.Evaluate(problem.CurrentRoutes) : null;
        double cost = current?.Objective ?? double.PositiveInfinity;
        if (Standby.Renew(evaluator, plan) is not { } renewed)
            return (double.NegativeInfinity, cost);
        return (current is { IsFeasible: true } ? RelativeGain(current, renewed) : 1, cost);
    }

    private Trigger? FindTrigger(PlanEpoch epoch, long now, CancellationToken cancellationToken)
    {
        if (FindChange(epoch, _conditions!) is { } change)
            return change;
        if (recovery.Tick(epoch, cancellationToken) is { } recovered)
            return new Trigger(RepartitionTrigger.StageTime, recovered);
        return _askAgainAt <= now ? _askAgain : null;
    }

    private Trigger? FindChange(PlanEpoch epoch, Conditions conditions)
    {
        if (conditions.FindChange(coordinator.AgentsVersion, coordinator.UsableAgents, epoch.Uses, options) is var (trigger, cause))
            return new Trigger(trigger, cause);
        Changes changes = FindChanges(epoch);
        if (changes.Compute is [var compute, ..])
            return new Trigger(RepartitionTrigger.StageTime, Describe(epoch, compute, "computes for"));
        if (changes.Transfers is [var transfer, ..])
            return new Trigger(RepartitionTrigger.LinkTime, Describe(epoch, transfer, "moves tensors for at least"));
        if (changes.Deliveries is [var delivery, ..])
            return new Trigger(RepartitionTrigger.LinkTime, Describe(epoch, delivery));
        return null;
    }

    private Changes FindChanges(PlanEpoch epoch) => new(
        epoch.Recorder.Times.FindComputeChanges(options.StageTimeChange),
        epoch.Recorder.Times.FindTransferChanges(options.LinkTimeChange),
        epoch.Recorder.Times.Deliveries.FindChanges(options.LinkTimeChange));

    private static string Describe(PlanEpoch epoch, DeliveryChange change) => string.Create(
        CultureInfo.InvariantCulture,
        $"Stage {change.FromStage} on '{epoch.Targets[change.FromStage].Agent.Id}' hands tensors to stage {change.ToStage} on '{epoch.Targets[change.ToStage].Agent.Id}' in at least {change.NowSeconds * 1000:0.##} ms; it was {change.BeforeSeconds * 1000:0.##} ms.");

    private static string Describe(PlanEpoch epoch, StageChange change, string what) => string.Create(
        CultureInfo.InvariantCulture,
        $"Stage {change.Stage} on '{epoch.Targets[change.Stage].Agent.Id}' {what} {change.NowSeconds * 1000:0.##} ms; it was {change.BeforeSeconds * 1000:0.##} ms.");

    private async Task SearchAsync(PlanEpoch epoch, Trigger trigger, long noticedAt, CancellationToken cancellationToken)
    {
        _askAgainAt = null;
        Conditions conditions = coordinator.Observe();
        try
        {
            // Whatever led to this, what is decided now rests on all that has changed; what changes from now on is looked at next.
            Changes changes = FindChanges(epoch);
            epoch.Recorder.Times.Accept(options.LinkTimeChange);
            foreach (StageChange change in changes.Compute)
                TakeInCompute(epoch, change);
            // Over a link that was found slow meanwhile, measuring it once more would take long.
            foreach (StageChange change in changes.Transfers.DistinctBy(change => epoch.Targets[change.Stage].Agent).Where(change => _conditions!.HasSameLink(epoch.Targets[change.Stage].Agent)))
                await TakeInAsync(epoch, change, cancellationToken).ConfigureAwait(false);
            foreach (DeliveryChange change in changes.Deliveries.DistinctBy(change => (epoch.Targets[change.FromStage].Agent, epoch.Targets[change.ToStage].Agent))
                .Where(change => _conditions!.HasSameLink(epoch.Targets[change.FromStage].Agent, epoch.Targets[change.ToStage].Agent)))
                await TakeInAsync(epoch, change, cancellationToken).ConfigureAwait(false);
            conditions = coordinator.Observe();
            coordinator.Note(await DecideAsync(epoch, trigger, conditions, noticedAt, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The deployment ends.
        }
        catch (Exception exception)
        {
            // Partitioners, cost models and policies are the user's: whatever they throw, the plan in use goes on.
            if (exception is not EdgeSplitException)
                coordinator.Logger.SearchFailed(exception, deployment.Name);
            AskAgain(RetryAfterFailure, trigger);
            coordinator.Note(NewDecision(epoch, trigger) with { Reason = $"No other plan could be made ready: {exception.Message}" });
        }
        finally
        {
            _conditions = conditions;
            _searchedAt = _time.GetTimestamp();
        }
    }

    /// <summary>Lets only what was measured after a change count in the costs that the next plan is made from.</summary>
    private void TakeInCompute(PlanEpoch epoch, StageChange change)
    {
        KeepLatest(epoch, change);
        recovery.Note(epoch.Targets[change.Stage], epoch.Plan.Stages[change.Stage].Layers, change);
    }

    private void KeepLatest(PlanEpoch epoch, StageChange change) =>
        deployment.Corrections.KeepLatest(epoch.Targets[change.Stage].Agent.Id, epoch.Plan.Stages[change.Stage].Layers, RunsAfterChange);

    /// <summary>Corrects the link to an agent by what tensors have taken, and lets only what is measured from now on count besides.</summary>
    private async ValueTask TakeInAsync(PlanEpoch epoch, StageChange change, CancellationToken cancellationToken)
    {
        AgentEntry agent = epoch.Targets[change.Stage].Agent;
        // To an agent in this process nothing travels; what took time was this process itself.
        if (agent.Link == Link.Local)
            return;
        Link link = await LinkMeasurement.ReviseAsync(agent.Agent.ProbeAsync, agent.Link, epoch.Recorder.BytesOf(change.Stage), change.NowSeconds, _time, cancellationToken).ConfigureAwait(false);
        // Where tensors wait for each other their times say that a link is slower than it is; it carries at least what it has carried.
        double carried = epoch.Targets.Select((target, index) => target.Agent == agent ? epoch.Recorder.BytesPerSecondOf(index) : 0).Sum();
        coordinator.Revise(agent, link.BytesPerSecond < carried ? link with { BytesPerSecond = carried } : link);
    }

    /// <summary>Corrects the link between two agents by what one has taken to hand tensors to the other.</summary>
    private async ValueTask TakeInAsync(PlanEpoch epoch, DeliveryChange change, CancellationToken cancellationToken)
    {
        AgentEntry from = epoch.Targets[change.FromStage].Agent, to = epoch.Targets[change.ToStage].Agent;
        if (coordinator.Peers?.Find(from, to) is not { } known)
            return;
        long bytes = epoch.Recorder.DeliveredBytes(change.FromStage, change.ToStage);
        Link link = await LinkMeasurement.ReviseAsync(
            (payload, token) => PeerLinks.ProbeAsync(from, to, payload, token), known, bytes, change.NowSeconds, _time, cancellationToken).ConfigureAwait(false);
        double carried = bytes * epoch.Recorder.Times.AnswersPerSecond(change.FromStage);
        coordinator.Revise(from, to, link.BytesPerSecond < carried ? link with { BytesPerSecond = carried } : link);
    }

    private async ValueTask<RepartitionDecision> DecideAsync(PlanEpoch epoch, Trigger trigger, Conditions conditions, long noticedAt, CancellationToken cancellationToken)
    {
        PartitionProblem problem = await deployment.CreateProblemAsync(epoch.Plan, cancellationToken).ConfigureAwait(false);
        PlanEvaluation? current = problem.IsCurrentComplete ? new PlanEvaluator(problem).Evaluate(problem.CurrentRoutes) : null;
        PartitionPlan candidate = await coordinator.PlanAsync(deployment.Name, problem, current is not { IsFeasible: true }, deployment.Partitioner, cancellationToken).ConfigureAwait(false);
        RepartitionDecision decision = NewDecision(epoch, trigger) with { Before = current?.Cost };
        if (AreSame(candidate.Routes, problem.CurrentRoutes))
            return decision with { Reason = "The plan in use is still the best that was found." };

        ImmutableArray<StageTarget> targets = await stager.ExtractAsync(candidate, cancellationToken).ConfigureAwait(false);
        SwitchEstimate estimate = SwitchEstimate.Of(epoch, targets);
        if (estimate.Time > LongSwitch && current is { IsFeasible: true }
            && await FindQuickerAsync(epoch, problem, current, candidate, targets, cancellationToken).ConfigureAwait(false) is var (quicker, quickerTargets))
        {
            (candidate, targets, estimate) = (quicker, quickerTargets, SwitchEstimate.Of(epoch, quickerTargets));
        }
        double gain = current is not { IsFeasible: true } ? 1 : RelativeGain(current, candidate);
        decision = decision with { After = candidate.Cost, RelativeGain = gain, BytesToMove = estimate.BytesToMove, SwitchTime = estimate.Time };
        RepartitionVerdict verdict = current is null
            ? new RepartitionVerdict(true, "The plan in use needs an agent that plans must leave out.")
            : options.Policy.Decide(new RepartitionProposal
            {
                Trigger = trigger.Kind,
                Current = current,
                Candidate = candidate,
                RelativeGain = gain,
                BytesToMove = estimate.BytesToMove,
                SwitchTime = estimate.Time,
                SinceLastSwitch = _time.GetElapsedTime(_switchedAt),
                RecentSwitches = CountRecentSwitches(),
            });
        if (!verdict.Switch)
        {
            if (verdict.AskAgainAfter is TimeSpan wait)
                AskAgain(wait, trigger);
            return decision with { Reason = verdict.Reason };
        }
        TimeSpan expected = estimate.Time > LeastSwitchTime ? estimate.Time : LeastSwitchTime;
        (double gainNow, double cost) = Weigh(problem, candidate);
        var attempt = new SwitchAttempt(epoch, candidate, targets, conditions, gainNow, cost, estimate, _time.GetTimestamp() + (long)(2 * expected.TotalSeconds * _time.TimestampFrequency));
        if (await SwitchAsync(attempt, cancellationToken).ConfigureAwait(false) is { } whyNot)
            return decision with { Reason = whyNot, Epoch = deployment.Epoch };
        _switches.Enqueue(_time.GetTimestamp());
        // What waits for a transfer that may take as long as the link needs now is answered sooner by the new plan.
        if (trigger.Kind == RepartitionTrigger.LinkTime && epoch.Recorder.Silences.Longest() > TimeSpan.Zero)
            epoch.Abandon();
        return decision with { Switched = true, Reason = verdict.Reason, Epoch = deployment.Epoch, Elapsed = _time.GetElapsedTime(noticedAt) };
    }

    /// <summary>Looks for a plan that gains almost as much and asks nothing new of the agents that take long; null where there is none.</summary>
    private async ValueTask<(PartitionPlan Plan, ImmutableArray<StageTarget> Targets)?> FindQuickerAsync(
        PlanEpoch epoch, PartitionProblem problem, PlanEvaluation current, PartitionPlan candidate, ImmutableArray<StageTarget> targets, CancellationToken cancellationToken)
    {
        HashSet<(int Layer, string DeviceId)> known = [.. epoch.Targets.SelectMany((target, stage) => epoch.Plan.Stages[stage].Layers.Select(layer => (layer, target.Agent.Id)))];
        IEnumerable<(int Layer, string DeviceId)> unknown = targets.GroupBy(static target => target.Agent)
            .Where(static stages => SwitchEstimate.TimeOf(stages.Key, stages) > LongSwitch)
            .SelectMany(stages => problem.Graph.Layers.Select(layer => (layer.Index, stages.Key.Id)))
            .Where(pair => !known.Contains(pair));
        PartitionProblem restricted = problem with { Constraints = problem.Constraints with { Forbidden = problem.Constraints.Forbidden.Union(unknown) } };
        try
        {
            PartitionPlan plan = await coordinator.PlanAsync(deployment.Name, restricted, mustServe: false, deployment.Partitioner, cancellationToken).ConfigureAwait(false);
            if (AreSame(plan.Routes, problem.CurrentRoutes) || RelativeGain(current, plan) < SufficientShare * RelativeGain(current, candidate))
                return null;
            ImmutableArray<StageTarget> planned = await stager.ExtractAsync(plan, cancellationToken).ConfigureAwait(false);
            return SwitchEstimate.Of(epoch, planned).Time < SwitchEstimate.Of(epoch, targets).Time / 2 ? (plan, planned) : null;
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.NoFeasiblePlan)
        {
            return null;
        }
    }

    /// <summary>Switches to a plan.</summary>
    /// <returns>Why that did not come about; null where it did.</returns>
    private async ValueTask<string?> SwitchAsync(SwitchAttempt attempt, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _attempt, attempt);
        try
        {
            if (await deployment.TrySwitchAsync(attempt.Epoch, attempt.Plan, attempt.Conditions, isUrgent: attempt.Gain > LargeGain, standsInAfter: null, cancellationToken).ConfigureAwait(false))
                return null;
            return attempt.WhyGivenUp is { } why
                ? $"The switch was given up, as conditions have changed meanwhile. {why}"
                : "Another plan was taken meanwhile.";
        }
        finally
        {
            Volatile.Write(ref _attempt, null);
        }
    }

    private static bool AreSame(ImmutableArray<PlanRoute> left, ImmutableArray<PlanRoute> right) => left.Length == right.Length
        && left.All(route => right.Any(other => Math.Abs(route.Share - other.Share) <= NegligibleShare && route.Assignment.AsSpan().SequenceEqual(other.Assignment.AsSpan())));

    /// <summary>The share of its objective by which another plan is cheaper than the one in use.</summary>
    internal static double RelativeGain(PlanEvaluation current, PartitionPlan other) => current.Objective > 0 ? (current.Objective - other.Objective) / current.Objective : 0;

    private int CountRecentSwitches()
    {
        while (_switches.TryPeek(out long oldest) && _time.GetElapsedTime(oldest) > Recent)
            _switches.Dequeue();
        return _switches.Count;
    }

    private RepartitionDecision NewDecision(PlanEpoch epoch, Trigger trigger) => new()
    {
        Time = _time.GetUtcNow(),
        Model = deployment.Name,
        Trigger = trigger.Kind,
        Cause = trigger.Cause,
        Switched = false,
        Reason = "",
        Epoch = epoch.Number,
    };

    private void AskAgain(TimeSpan wait, Trigger trigger) =>
        (_askAgainAt, _askAgain) = (_time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency), trigger);

    private sealed record Trigger(RepartitionTrigger Kind, string Cause);

    /// <summary>A switch that is being made: from what and to what, what it was decided on, what it was to gain, what the plan in use cost, what it was to take, and the timestamp from which it takes too long.</summary>
    private sealed record SwitchAttempt(PlanEpoch Epoch, PartitionPlan Plan, ImmutableArray<StageTarget> Targets, Conditions Conditions, double Gain, double Cost, SwitchEstimate Estimate, long OverdueAt)
    {
        public string? WhyGivenUp { get; set; }
    }

    private sealed record Changes(StageChange[] Compute, StageChange[] Transfers, DeliveryChange[] Deliveries);
}

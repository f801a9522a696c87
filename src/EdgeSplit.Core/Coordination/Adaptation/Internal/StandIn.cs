using System.Globalization;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Lets what stands by for a loss take over at once where tensors no longer arrive over a link that the plan in use needs, which is as bad as a loss:
/// it needs neither a search nor a load. Requests that wait for those tensors run again. A better plan is looked for next.
/// </summary>
internal sealed class StandIn(Coordinator coordinator, Deployment deployment, Standby standby)
{
    // Times as fast as the plan in use, or as answers are overdue for: no noise makes a plan look so.
    private const double LeastFactor = 3;

    private readonly TimeProvider _time = coordinator.Options.TimeProvider;

    /// <summary>What runs, for the deployment to wait for when it ends.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <summary>Looks whether something better stands by, if answers are overdue; never called twice at the same time.</summary>
    /// <param name="slow">The link that was found slow.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public void Consider(WatchedLink slow, CancellationToken cancellationToken)
    {
        if (Running.IsCompleted && deployment.CurrentEpoch is { } epoch && epoch.Recorder.Silences.Longest() > TimeSpan.Zero)
            Running = Task.Run(() => TakeOverAsync(epoch, slow, cancellationToken), CancellationToken.None);
    }

    private async Task TakeOverAsync(PlanEpoch epoch, WatchedLink slow, CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        try
        {
            Conditions conditions = coordinator.Observe();
            PartitionProblem problem = deployment.CreateProblem(epoch.Plan);
            if (slow.Link is not { } link || !problem.IsCurrentComplete || standby.FindLoaded(epoch, problem) is not { } ready)
                return;
            PlanEvaluation current = new PlanEvaluator(problem).Evaluate(problem.CurrentRoutes);
            // Where tensors are small, it is not the bandwidth that they wait for.
            if (current.Objective < LeastFactor * ready.Objective && epoch.Recorder.Silences.Longest().TotalSeconds < LeastFactor * ready.Cost.LatencySeconds)
                return;
            // Requests wait for this one; nobody does for one that was to make them faster.
            deployment.GiveUpSwitch();
            if (!await deployment.TrySwitchAsync(epoch, ready, conditions, isUrgent: true, RepartitionTrigger.LinkTime, cancellationToken).ConfigureAwait(false))
                return;
            epoch.Abandon();
            coordinator.Note(new RepartitionDecision
            {
                Time = _time.GetUtcNow(),
                Model = deployment.Name,
                Trigger = RepartitionTrigger.LinkTime,
                Cause = string.Create(CultureInfo.InvariantCulture, $"Answers are overdue, and {slow} has no more than {link.BytesPerSecond / 1e6:0.##} MB/s by now."),
                Switched = true,
                Reason = "What stands by takes over at once; a better plan is looked for next.",
                Epoch = deployment.Epoch,
                Before = current.Cost,
                After = ready.Cost,
                RelativeGain = DeploymentAdapter.RelativeGain(current, ready),
                Elapsed = _time.GetElapsedTime(started),
            });
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The deployment ends.
        }
        catch (Exception exception)
        {
            // Cost models are the user's, and agents may be lost meanwhile: whatever it is, the plan in use goes on.
            coordinator.Logger.StandbyFailed(exception, deployment.Name, epoch.Number);
        }
    }
}

using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Partitioning;
using Spectre.Console;

namespace LiveAdaptation;

/// <summary>Plays one change after the other, waits for what the coordinator does about it, and measures.</summary>
internal sealed class Show(Coordinator coordinator, Deployment deployment, SteadyLoad load)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(3);

    /// <summary>Plays a change.</summary>
    /// <param name="what">What happens, for people.</param>
    /// <param name="awaited">What a switch to another plan is waited for to be about; null to wait for none.</param>
    /// <param name="change">Makes it happen; null for nothing.</param>
    public async Task PlayAsync(string what, RepartitionTrigger? awaited = null, Func<Task>? change = null)
    {
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLineInterpolated($"[bold]{what}[/]");
        var switched = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Note(object? sender, RepartitionDecision decision)
        {
            if (decision.Switched && decision.Trigger == awaited)
                switched.TrySetResult();
        }
        coordinator.DecisionMade += Note;
        try
        {
            await (change?.Invoke() ?? Task.CompletedTask);
            if (awaited is not null && await Task.WhenAny(switched.Task, Task.Delay(Patience)) != switched.Task)
                AnsiConsole.MarkupLineInterpolated($"  no switch because of {awaited} within {Patience.TotalSeconds:0} s");
        }
        finally
        {
            coordinator.DecisionMade -= Note;
        }
        long before = load.Completed;
        long started = Stopwatch.GetTimestamp();
        await Task.Delay(Measured);
        double perSecond = (load.Completed - before) / Stopwatch.GetElapsedTime(started).TotalSeconds;
        PartitionPlan plan = deployment.Plan;
        string stages = string.Join(" -> ", plan.Stages.Select(stage => $"{plan.Fleet.Devices[stage.Device].Id} ({stage.Layers.Length} layers)"));
        AnsiConsole.MarkupLineInterpolated($"  plan {deployment.Epoch}: {stages}, [bold]{perSecond:0.0}[/] requests/s");
    }
}

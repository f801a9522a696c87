using EdgeSplit.Costs;

namespace EdgeSplit.Coordination.Adaptation;

/// <summary>A decision for or against another plan, with what it rests on.</summary>
public sealed record RepartitionDecision
{
    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>What brought it up.</summary>
    public required RepartitionTrigger Trigger { get; init; }

    /// <summary>What exactly, in words.</summary>
    public required string Cause { get; init; }

    /// <summary>Whether another plan was taken.</summary>
    public required bool Switched { get; init; }

    /// <summary>Why, as a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The number of the plan that is in use after the decision.</summary>
    public required long Epoch { get; init; }

    /// <summary>What the plan that was in use costs under the conditions now; null where it was not weighed.</summary>
    public PlanCost? Before { get; init; }

    /// <summary>What the other plan costs; null where there was none.</summary>
    public PlanCost? After { get; init; }

    /// <summary>The part of the objective that is gained.</summary>
    public double RelativeGain { get; init; }

    /// <summary>Bytes of weights that agents had to fetch, or would have had to.</summary>
    public long BytesToMove { get; init; }

    /// <summary>How long the switch was estimated to take.</summary>
    public TimeSpan SwitchTime { get; init; }

    /// <summary>How long it took from the trigger until requests ran on the new plan; zero where nothing was switched.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>How often in a row the same was decided for the same cause, this time included.</summary>
    public int Repetitions { get; init; } = 1;
}

using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation;

/// <summary>A plan that could take the place of the one in use, with what is known of both. Costs are as predicted under the conditions now.</summary>
public sealed record RepartitionProposal
{
    /// <summary>What brought it up.</summary>
    public required RepartitionTrigger Trigger { get; init; }

    /// <summary>The plan in use, under the conditions now.</summary>
    public required PlanEvaluation Current { get; init; }

    /// <summary>The other plan.</summary>
    public required PartitionPlan Candidate { get; init; }

    /// <summary>The part of the objective that is gained, from 0 to 1; 1 where the plan in use breaks a constraint now.</summary>
    public required double RelativeGain { get; init; }

    /// <summary>Bytes of weights that agents have to fetch, as far as it is known what they hold.</summary>
    public required long BytesToMove { get; init; }

    /// <summary>How long the switch is estimated to take: moving the weights over each agent's link, and building sessions, which takes as long as it did of late.</summary>
    public required TimeSpan SwitchTime { get; init; }

    /// <summary>The time since the plan in use was taken.</summary>
    public required TimeSpan SinceLastSwitch { get; init; }

    /// <summary>How often the policy has taken another plan of the model within the last five minutes.</summary>
    public int RecentSwitches { get; init; }
}

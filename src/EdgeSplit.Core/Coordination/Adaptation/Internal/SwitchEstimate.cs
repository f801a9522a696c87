using System.Collections.Immutable;
using EdgeSplit.Coordination.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What switching from one plan to another is estimated to take.</summary>
/// <param name="BytesToMove">Weights that agents are not known to hold.</param>
/// <param name="MoveTime">Until the last agent has fetched its weights; agents fetch side by side.</param>
/// <param name="Time">Until the last agent is ready; agents fetch and build side by side.</param>
internal readonly record struct SwitchEstimate(long BytesToMove, TimeSpan MoveTime, TimeSpan Time)
{
    /// <param name="current">The plan in use.</param>
    /// <param name="targets">The other plan's stages.</param>
    public static SwitchEstimate Of(PlanEpoch current, ImmutableArray<StageTarget> targets)
    {
        long moved = 0;
        TimeSpan longestMove = TimeSpan.Zero, longest = TimeSpan.Zero;
        // What an agent runs already is loaded once more at no cost.
        foreach (IGrouping<AgentEntry, StageTarget> stages in targets.Where(target => !current.Targets.Any(target.IsSameAs)).GroupBy(static target => target.Agent))
        {
            AgentEntry agent = stages.Key;
            long missing = MissingBytes(agent, stages);
            TimeSpan move = MoveTimeOf(agent, missing), time = move + LoadTimeOf(agent, stages);
            moved += missing;
            longestMove = move > longestMove ? move : longestMove;
            longest = time > longest ? time : longest;
        }
        return new SwitchEstimate(moved, longestMove, longest);
    }

    /// <summary>Until an agent is ready to run some stages.</summary>
    public static TimeSpan TimeOf(AgentEntry agent, IEnumerable<StageTarget> stages) =>
        MoveTimeOf(agent, MissingBytes(agent, stages)) + LoadTimeOf(agent, stages);

    private static TimeSpan MoveTimeOf(AgentEntry agent, long missing) => TimeSpan.FromSeconds(missing / agent.Link.BytesPerSecond);

    private static TimeSpan LoadTimeOf(AgentEntry agent, IEnumerable<StageTarget> stages) =>
        stages.Aggregate(TimeSpan.Zero, (time, stage) => time + agent.LoadTimes.Predict(stage.Partition.WeightBytes));

    private static long MissingBytes(AgentEntry agent, IEnumerable<StageTarget> stages) =>
        agent.Held.MissingBytes([.. stages.SelectMany(static stage => stage.Partition.Blobs).DistinctBy(static blob => blob.Hash)]);
}

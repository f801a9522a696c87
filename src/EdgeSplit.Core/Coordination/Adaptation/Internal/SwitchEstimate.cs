using System.Collections.Immutable;
using EdgeSplit.Coordination.Internal;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What switching from one plan to another is estimated to take.</summary>
/// <param name="BytesToMove">Weights that agents are not known to hold.</param>
/// <param name="Time">Until the last agent is ready; agents fetch and build side by side.</param>
internal readonly record struct SwitchEstimate(long BytesToMove, TimeSpan Time)
{
    /// <param name="current">The plan in use.</param>
    /// <param name="targets">The other plan's stages.</param>
    public static SwitchEstimate Of(PlanEpoch current, ImmutableArray<StageTarget> targets)
    {
        long moved = 0;
        TimeSpan longest = TimeSpan.Zero;
        // What an agent runs already is loaded once more at no cost.
        foreach (IGrouping<AgentEntry, StageTarget> stages in targets.Where(target => !current.Targets.Any(target.IsSameAs)).GroupBy(static target => target.Agent))
        {
            AgentEntry agent = stages.Key;
            long missing = agent.Held.MissingBytes([.. stages.SelectMany(static stage => stage.Partition.Blobs).DistinctBy(static blob => blob.Hash)]);
            TimeSpan time = TimeSpan.FromSeconds(missing / agent.Link.BytesPerSecond);
            foreach (StageTarget stage in stages)
                time += agent.LoadTimes.Predict(stage.Partition.WeightBytes);
            moved += missing;
            longest = time > longest ? time : longest;
        }
        return new SwitchEstimate(moved, longest);
    }
}

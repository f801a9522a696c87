using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Lets what a request took correct the costs of its model.</summary>
internal static class TimingRecorder
{
    /// <summary>Records the stages of a request that succeeded.</summary>
    /// <param name="corrections">Where they go.</param>
    /// <param name="epoch">The plan that it ran on.</param>
    /// <param name="stages">What its stages took.</param>
    /// <param name="coordinatorId">The coordinator's id.</param>
    /// <param name="isAlone">Whether no other request was in flight: with others its tensors waited for theirs, which says nothing of a link.</param>
    public static void Record(CostCorrections corrections, PlanEpoch epoch, ImmutableArray<StageTiming> stages, string coordinatorId, bool isAlone)
    {
        epoch.Times.Record(stages);
        PartitionPlan plan = epoch.Plan;
        foreach (StageTiming timing in stages)
        {
            PlanStage stage = plan.Stages[timing.Stage];
            corrections.RecordStage(timing.AgentId, stage.Layers, timing.Compute, epoch.Targets[timing.Stage].Agent.EffectiveLoad);
            if (isAlone && timing.AgentId != coordinatorId)
                corrections.RecordExchange(coordinatorId, timing.AgentId, Bytes(stage.Inputs), Bytes(stage.Outputs), timing.Transfer);
        }

        long Bytes(ImmutableArray<int> activations)
        {
            long sum = 0;
            foreach (int activation in activations)
                sum += plan.Graph.Activations[activation].ByteCount;
            return sum;
        }
    }
}

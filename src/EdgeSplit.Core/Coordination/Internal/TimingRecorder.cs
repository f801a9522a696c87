using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Takes in what the stages of one plan take, each when it has ended, whatever becomes of its request: a plan that is so slow that
/// every request runs into its deadline must be noticed too.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="corrections">Corrects the costs of the plan's model.</param>
/// <param name="coordinatorId">The coordinator's id.</param>
/// <param name="time">The clock.</param>
internal sealed class TimingRecorder(PartitionPlan plan, CostCorrections corrections, string coordinatorId, TimeProvider time)
{
    private readonly long[] _inputBytes = [.. plan.Stages.Select(stage => BytesOf(plan, stage.Inputs))];
    private readonly long[] _outputBytes = [.. plan.Stages.Select(stage => BytesOf(plan, stage.Outputs))];

    /// <summary>What the stages took of late.</summary>
    public StageTimes Times { get; } = new(plan, time);

    /// <summary>Records a stage that has ended.</summary>
    /// <param name="timing">What it took.</param>
    /// <param name="deviceLoad">The share of the device that other programs took.</param>
    /// <param name="isAlone">Whether no other request was in flight: with others its tensors waited for theirs, which says little of a link.</param>
    /// <param name="hasPeers">Whether some of its tensors came from or went to other agents: then its transfer says nothing of the coordinator's link.</param>
    /// <param name="requests">Requests that ran as one: it counts as so many, each of which took its share.</param>
    public void Record(StageTiming timing, double deviceLoad, bool isAlone, bool hasPeers, int requests = 1)
    {
        if (requests > 1)
            timing = timing with { Total = timing.Total / requests, Compute = timing.Compute / requests, Queue = timing.Queue / requests };
        for (int request = 0; request < requests; request++)
            Times.Record(hasPeers ? timing with { Total = timing.Compute + timing.Queue } : timing);
        corrections.RecordStage(timing.AgentId, plan.Stages[timing.Stage].Layers, timing.Compute, deviceLoad);
        if (isAlone && requests == 1 && !hasPeers && timing.AgentId != coordinatorId)
            corrections.RecordExchange(coordinatorId, timing.AgentId, _inputBytes[timing.Stage], _outputBytes[timing.Stage], timing.Transfer);
    }

    /// <summary>What a stage's tensors need of its agent's link in its busier direction, in bytes per second, at the rate at which it has answered of late.</summary>
    public double BytesPerSecondOf(int stage) => Times.AnswersPerSecond(stage) * Math.Max(_inputBytes[stage], _outputBytes[stage]);

    /// <summary>The bytes that a stage takes and gives.</summary>
    public long BytesOf(int stage) => _inputBytes[stage] + _outputBytes[stage];

    private static long BytesOf(PartitionPlan plan, ImmutableArray<int> activations) => activations.Sum(activation => plan.Graph.Activations[activation].ByteCount);
}

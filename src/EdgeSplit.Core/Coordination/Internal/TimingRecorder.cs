using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Costs;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Takes in what the stages of one plan take, each when it has ended, whatever becomes of its request: a plan that is so slow that
/// every request runs into its deadline must be noticed too.
/// </summary>
/// <param name="plan">The plan.</param>
/// <param name="corrections">Corrects the costs of the plan's model.</param>
/// <param name="peers">The links between agents; null where there are none.</param>
/// <param name="coordinatorId">The coordinator's id.</param>
/// <param name="time">The clock.</param>
internal sealed class TimingRecorder(PartitionPlan plan, CostCorrections corrections, PeerLinks? peers, string coordinatorId, TimeProvider time)
{
    private readonly Dictionary<string, long> _bytes = BytesByName(plan.Graph);
    private StageTraffic[] _traffic = [];

    /// <summary>What the stages took of late.</summary>
    public StageTimes Times { get; } = new(plan, time);

    /// <summary>Takes over which tensors take which way; what took another way says nothing of it.</summary>
    public RequestRoutes Follow(RequestRoutes routes)
    {
        StageTraffic[] before = _traffic, now = [.. routes.Stages.Select(TrafficOf)];
        for (int stage = 0; stage < before.Length; stage++)
        {
            if (before[stage].InputBytes != now[stage].InputBytes || before[stage].OutputBytes != now[stage].OutputBytes)
                Times.ForgetTransfers(stage);
            foreach ((int reader, int index) in before[stage].Route.DeliveredTo.Select(static (reader, index) => (reader, index)))
            {
                if (!now[stage].Route.DeliveredTo.Contains(reader) || before[stage].Route.Exchange!.Deliveries[index].Encoding != now[stage].EncodingFor(reader))
                    Times.Deliveries.Forget(stage, reader);
            }
        }
        Volatile.Write(ref _traffic, now);
        return routes;
    }

    /// <summary>Records a stage that has ended.</summary>
    /// <param name="timing">What it took.</param>
    /// <param name="route">The ways that its tensors took.</param>
    /// <param name="deliveryTimes">What handing tensors to other agents took.</param>
    /// <param name="targets">The agents of the stages.</param>
    /// <param name="isAlone">Whether no other request was in flight: with others its tensors waited for theirs, which says little of a link.</param>
    public void Record(StageTiming timing, StageRoute route, ImmutableArray<TimeSpan> deliveryTimes, ImmutableArray<StageTarget> targets, bool isAlone)
    {
        AgentEntry agent = targets[timing.Stage].Agent;
        corrections.RecordStage(timing.AgentId, plan.Stages[timing.Stage].Layers, timing.Compute, agent.EffectiveLoad);
        StageTraffic traffic = Volatile.Read(ref _traffic)[timing.Stage];
        if (!ReferenceEquals(traffic.Route, route) || deliveryTimes.Length != route.DeliveredTo.Length)
        {
            // Its tensors went other ways than those that are known now.
            Times.Record(timing, tellsTransfer: false);
            return;
        }
        // All deliveries of a stage leave at once.
        TimeSpan delivery = deliveryTimes.IsEmpty ? TimeSpan.Zero : deliveryTimes.Max();
        Times.Record(timing with { Total = timing.Total - delivery });
        for (int i = 0; i < deliveryTimes.Length; i++)
            Times.Deliveries.Record(timing.Stage, route.DeliveredTo[i], deliveryTimes[i]);
        if (!isAlone)
            return;
        if (deliveryTimes.Length == 1 && peers?.Find(agent, targets[route.DeliveredTo[0]].Agent) is { } direct)
            corrections.RecordTransfer(timing.AgentId, targets[route.DeliveredTo[0]].Agent.Id, DeliveredBytes(timing.Stage, route.DeliveredTo[0]), NotNegative(delivery - direct.Latency));
        if (timing.AgentId != coordinatorId && traffic.InputBytes + traffic.OutputBytes > 0)
        {
            // Also where only one direction has tensors there was a message in the other.
            TimeSpan latency = traffic.InputBytes > 0 && traffic.OutputBytes > 0 ? TimeSpan.Zero : agent.Link.Latency;
            corrections.RecordExchange(coordinatorId, timing.AgentId, traffic.InputBytes, traffic.OutputBytes, NotNegative(timing.Transfer - delivery - latency));
        }
    }

    /// <summary>What a stage's tensors need of its agent's link to the coordinator in its busier direction, in bytes per second, at the rate at which it has answered of late.</summary>
    public double BytesPerSecondOf(int stage) => Times.AnswersPerSecond(stage) * Math.Max(_traffic[stage].InputBytes, _traffic[stage].OutputBytes);

    /// <summary>The bytes that a stage takes from the coordinator and gives it.</summary>
    public long BytesOf(int stage) => _traffic[stage].InputBytes + _traffic[stage].OutputBytes;

    /// <summary>The bytes that one stage hands to another.</summary>
    public long DeliveredBytes(int from, int to)
    {
        StageRoute route = _traffic[from].Route;
        int index = Array.IndexOf(route.DeliveredTo, to);
        return index < 0 ? 0 : route.Exchange!.Deliveries[index].Outputs.Sum(BytesOf);
    }

    private StageTraffic TrafficOf(StageRoute route) => new(
        route,
        // What comes while others are waited for takes no time of its own.
        route.Exchange is { Awaited.IsEmpty: false } ? 0 : route.InputNames.Names.Sum(BytesOf),
        route.OutputNames.Sum(BytesOf));

    private long BytesOf(string name) => _bytes.GetValueOrDefault(name);

    private static TimeSpan NotNegative(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;

    private static Dictionary<string, long> BytesByName(ModelGraph graph)
    {
        var bytes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Activation activation in graph.Activations)
            bytes[activation.Info.Name] = activation.ByteCount;
        return bytes;
    }

    /// <summary>What a stage exchanges with the coordinator in time that tells of its link.</summary>
    private sealed record StageTraffic(StageRoute Route, long InputBytes, long OutputBytes)
    {
        public Compression.ActivationEncoding EncodingFor(int reader) => Route.Exchange!.Deliveries[Array.IndexOf(Route.DeliveredTo, reader)].Encoding;
    }
}

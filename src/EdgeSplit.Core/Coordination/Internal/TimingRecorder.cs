using System.Collections.Immutable;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
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
    private volatile TensorTraffic _traffic = new(plan.Graph, []);

    /// <summary>What the stages took of late.</summary>
    public StageTimes Times { get; } = new(plan, time);

    /// <summary>Which stages have answered nothing for long.</summary>
    public Silences Silences { get; } = new(plan, time);

    /// <summary>Takes over which tensors take which way; what took another way says nothing of it.</summary>
    public RequestRoutes[] Follow(RequestRoutes[] routes)
    {
        TensorTraffic before = _traffic, now = new(plan.Graph, routes);
        foreach (int stage in before.Stages.Where(stage => before.ExchangedBytes(stage) != now.ExchangedBytes(stage)))
            Times.ForgetTransfers(stage);
        foreach ((int from, int to) in before.Pairs.Where(pair => before.Delivered(pair.From, pair.To) != now.Delivered(pair.From, pair.To)))
            Times.Deliveries.Forget(from, to);
        PredictTransfers(now);
        _traffic = now;
        return routes;
    }

    /// <summary>
    /// What the links take as the plan was made for them: a link that has become slow meanwhile shows in the first transfers, which would else
    /// be what later ones are compared with.
    /// </summary>
    private void PredictTransfers(TensorTraffic traffic)
    {
        int coordinator = plan.Fleet.IndexOf(coordinatorId);
        foreach (int stage in traffic.Stages)
        {
            if (coordinator >= 0 && plan.Stages[stage].Device != coordinator && traffic.ExchangedBytes(stage) is var (sent, received) && sent + received > 0)
                Times.PredictTransfers(stage, SecondsFor(coordinator, plan.Stages[stage].Device, sent) + SecondsFor(plan.Stages[stage].Device, coordinator, received));
        }
        foreach ((int from, int to) in traffic.Pairs)
        {
            if (traffic.Delivered(from, to) is var (bytes, _))
                Times.Deliveries.Predict(from, to, SecondsFor(plan.Stages[from].Device, plan.Stages[to].Device, bytes));
        }
    }

    private double SecondsFor(int from, int to, long bytes)
    {
        Link link = plan.Fleet.LinkBetween(from, to);
        return link == Link.Local ? 0 : link.Latency.TotalSeconds + (bytes * link.SecondsPerByte);
    }

    /// <summary>Records a stage that has ended.</summary>
    /// <param name="timing">What it took.</param>
    /// <param name="route">The ways that its tensors took.</param>
    /// <param name="numbers">The positions in the plan of the stages that the ways name.</param>
    /// <param name="deliveryTimes">What handing tensors to other agents took.</param>
    /// <param name="targets">The agents of the plan's stages.</param>
    /// <param name="isAlone">Whether no other request was in flight: with others its tensors waited for theirs, which says little of a link.</param>
    /// <param name="requests">Requests that ran as one: it counts as so many, each of which took its share.</param>
    public void Record(
        StageTiming timing,
        StageRoute route,
        ImmutableArray<int> numbers,
        ImmutableArray<TimeSpan> deliveryTimes,
        ImmutableArray<StageTarget> targets,
        bool isAlone,
        int requests = 1)
    {
        TensorTraffic traffic = _traffic;
        AgentEntry agent = targets[timing.Stage].Agent;
        // All deliveries of a stage leave at once.
        TimeSpan delivery = deliveryTimes.IsEmpty ? TimeSpan.Zero : deliveryTimes.Max();
        StageTiming share = timing with { Total = (timing.Total - delivery) / requests, Compute = timing.Compute / requests, Queue = timing.Queue / requests };
        bool isKnown = traffic.Holds(route) && deliveryTimes.Length == route.DeliveredTo.Length;
        (long Sent, long Received)? exchanged = isKnown ? traffic.ExchangedBytes(timing.Stage) : null;
        bool tellsCompute = !agent.IsLoading;
        for (int request = 0; request < requests; request++)
            Times.Record(share, tellsCompute, tellsTransfer: exchanged is not null);
        if (tellsCompute)
            corrections.RecordStage(timing.AgentId, plan.Stages[timing.Stage].Layers, share.Compute, agent.EffectiveLoad);
        if (!isKnown)
            return;
        for (int i = 0; i < deliveryTimes.Length; i++)
            Times.Deliveries.Record(timing.Stage, numbers[route.DeliveredTo[i]], deliveryTimes[i] / requests);
        if (!isAlone || requests > 1)
            return;
        if (deliveryTimes.Length == 1 && numbers[route.DeliveredTo[0]] is int reader && peers?.Find(agent, targets[reader].Agent) is { } direct)
            corrections.RecordTransfer(timing.AgentId, targets[reader].Agent.Id, DeliveredBytes(timing.Stage, reader), NotNegative(delivery - direct.Latency));
        if (timing.AgentId != coordinatorId && exchanged is var (sent, received) && sent + received > 0)
        {
            // Also where only one direction has tensors there was a message in the other.
            TimeSpan latency = sent > 0 && received > 0 ? TimeSpan.Zero : agent.Link.Latency;
            corrections.RecordExchange(coordinatorId, timing.AgentId, sent, received, NotNegative(share.Transfer - latency));
        }
    }

    /// <summary>What a stage's tensors need of its agent's link to the coordinator in its busier direction, in bytes per second, at the rate at which it has answered of late.</summary>
    public double BytesPerSecondOf(int stage) => _traffic.ExchangedBytes(stage) is var (sent, received) ? Times.AnswersPerSecond(stage) * Math.Max(sent, received) : 0;

    /// <summary>The bytes that a stage takes from the coordinator and gives it.</summary>
    public long BytesOf(int stage) => _traffic.ExchangedBytes(stage) is var (sent, received) ? sent + received : 0;

    /// <summary>The bytes that one stage hands to another.</summary>
    public long DeliveredBytes(int from, int to) => _traffic.Delivered(from, to)?.Bytes ?? 0;

    private static TimeSpan NotNegative(TimeSpan time) => time < TimeSpan.Zero ? TimeSpan.Zero : time;
}

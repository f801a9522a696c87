using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs.Internal;
using EdgeSplit.Storage.Internal;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>
/// Finds out whether agents that had become slow, and that the plan then left out, are fast again: nothing runs there that would
/// show it. Such an agent runs the stage that showed it to be slow a few times more, on zeros, less and less often.
/// </summary>
internal sealed class RecoveryCheck(Coordinator coordinator, Deployment deployment, EpochStager stager, AdaptationOptions options)
{
    private const int WarmUpRuns = 2;
    private const int Runs = 5;
    private const int LongestWait = 32;
    private const double LinkShare = 0.25;

    private readonly TimeProvider _time = coordinator.Options.TimeProvider;
    private readonly Dictionary<AgentEntry, SlowStage> _slow = [];
    private SlowStage? _checked;
    private Task<double[]> _times = Task.FromResult<double[]>([]);

    /// <summary>The check that runs, if any.</summary>
    public Task Checking => _times;

    /// <summary>Takes in that a stage takes longer, or less long, than before.</summary>
    public void Note(StageTarget target, ImmutableArray<int> layers, StageChange change)
    {
        _slow.Remove(target.Agent);
        if (change.NowSeconds <= change.BeforeSeconds || !HaveKnownShapes(target.Partition.Inputs))
            return;
        var stage = new SlowStage(target, layers, change.NowSeconds);
        stage.Wait(_time.GetTimestamp(), options.RecoveryCheckInterval, _time);
        _slow.Add(target.Agent, stage);
    }

    /// <summary>Checks the agent whose turn it is, if any; never called twice at the same time.</summary>
    /// <returns>What was found out by the last check, where that changes what plans cost: in words, for the decision.</returns>
    public string? Tick(PlanEpoch epoch, CancellationToken cancellationToken)
    {
        if (!_times.IsCompleted || options.RecoveryCheckInterval == TimeSpan.Zero)
            return null;
        if (_checked is { } before)
        {
            _checked = null;
            if (TakeIn(before, _times.Result) is { } found)
                return found;
        }
        long now = _time.GetTimestamp();
        foreach ((AgentEntry agent, SlowStage stage) in _slow)
        {
            if (agent.State == AgentState.Lost)
                _slow.Remove(agent);
            else if (epoch.Uses(agent))
                stage.Wait(now, options.RecoveryCheckInterval, _time); // Its stages show what they take.
            else if (stage.DueAt <= now && IsFree(agent, stage))
            {
                stage.WaitTwiceAsLong(now, _time, options.RecoveryCheckInterval * LongestWait);
                _checked = stage;
                _times = Task.Run(() => MeasureAsync(stage, cancellationToken), CancellationToken.None);
                return null;
            }
        }
        return null;
    }

    private bool IsFree(AgentEntry agent, SlowStage stage) =>
        coordinator.UsableAgents.Contains(agent) && !agent.IsShortOfMemory
        && (agent.LatestReport?.Resources.AvailableMemoryBytes is not { } free || free > options.LeastFreeMemoryBytes + (2 * stage.Target.Partition.WeightBytes));

    private string? TakeIn(SlowStage stage, double[] times)
    {
        AgentEntry agent = stage.Target.Agent;
        if (times.Length == 0)
            return null;
        double seconds = Quantiles.Of(times, 0.5);
        if (seconds * (1 + options.StageTimeChange) >= stage.Seconds)
            return null;
        string found = string.Create(
            CultureInfo.InvariantCulture,
            $"Agent '{agent.Id}', which runs nothing now, computes in {seconds * 1000:0.##} ms what took it {stage.Seconds * 1000:0.##} ms.");
        stage.Seconds = seconds;
        deployment.Corrections.KeepLatest(agent.Id, stage.Layers, 0);
        foreach (double time in times)
            deployment.Corrections.RecordStage(agent.Id, stage.Layers, TimeSpan.FromSeconds(time), agent.EffectiveLoad);
        return found;
    }

    private async Task<double[]> MeasureAsync(SlowStage stage, CancellationToken cancellationToken)
    {
        AgentEntry agent = stage.Target.Agent;
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (TensorInfo input in stage.Target.Partition.Inputs)
                inputs.Add(input.Name, Zeros(input));
            await stager.LoadAheadAsync(stage.Target, true, source => PacedBlobSource.ForShare(source, agent.Link, LinkShare, _time), cancellationToken).ConfigureAwait(false);
            try
            {
                double[] times = new double[Runs];
                for (int run = -WarmUpRuns; run < Runs; run++)
                {
                    using PartialResult result = await agent.Agent.ExecuteAsync(
                        new InferenceRequest(Guid.NewGuid(), stage.Target.Partition.Id, inputs), cancellationToken).ConfigureAwait(false);
                    if (run >= 0)
                        times[run] = result.ComputeTime.TotalSeconds;
                }
                return times;
            }
            finally
            {
                await PlanEpoch.UnloadAsync(agent, stage.Target.Partition.Id, coordinator.Logger).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            // Nothing is known then, and it is tried again later; the plan in use goes on in any case.
            if (!cancellationToken.IsCancellationRequested)
                coordinator.Logger.RecoveryCheckFailed(exception, deployment.Name, agent.Id);
            return [];
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    private static bool HaveKnownShapes(ImmutableArray<TensorInfo> inputs) => inputs.All(static input =>
        input.ElementType != TensorElementType.Undefined && !input.Dimensions.IsDefault && input.Dimensions.All(static dimension => dimension.Size is >= 0));

    private static Tensor Zeros(TensorInfo input)
    {
        var shape = new TensorShape([.. input.Dimensions.Select(static dimension => dimension.Size!.Value)]);
        if (input.ElementType == TensorElementType.String)
            return Tensor.FromStrings(Enumerable.Repeat("", checked((int)shape.ElementCount)), shape);
        Tensor zeros = Tensor.Allocate(input.ElementType, shape, out Memory<byte> bytes);
        bytes.Span.Clear();
        return zeros;
    }

    /// <summary>A stage that took longer than before on an agent.</summary>
    private sealed class SlowStage(StageTarget target, ImmutableArray<int> layers, double seconds)
    {
        private TimeSpan _wait;

        public StageTarget Target => target;

        public ImmutableArray<int> Layers => layers;

        /// <summary>What it took when it was measured last.</summary>
        public double Seconds { get; set; } = seconds;

        public long DueAt { get; private set; }

        public void Wait(long now, TimeSpan wait, TimeProvider time)
        {
            _wait = wait;
            DueAt = now + (long)(wait.TotalSeconds * time.TimestampFrequency);
        }

        public void WaitTwiceAsLong(long now, TimeProvider time, TimeSpan longest) =>
            Wait(now, TimeSpan.FromTicks(Math.Min(2 * _wait.Ticks, longest.Ticks)), time);
    }
}

using System.Collections.Immutable;
using EdgeSplit.Costs.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Costs;

/// <summary>
/// Corrects what one model is predicted to cost by what its stages and transfers really took, so that the next plan is made
/// from measured times.
/// </summary>
/// <remarks>
/// <para>For each stage (a device and a set of layers) and each link the last <see cref="CostCorrectionOptions.Window"/> times count.
/// A stage's time is their median, so up to half of them may be outliers. A transfer's is their lower quartile, as other
/// traffic only adds to it.</para>
/// <para>Nothing is compared with earlier predictions, only with the problem that is corrected, so corrections do not feed on
/// themselves. Thread-safe.</para>
/// </remarks>
/// <param name="options">How many times count; defaults where null.</param>
public sealed class CostCorrections(CostCorrectionOptions? options = null)
{
    /// <summary>Layer sets that are remembered for each device; the one not seen for longest goes first.</summary>
    private const int MostStages = 32;

    private readonly CostCorrectionOptions _options = options ?? new CostCorrectionOptions();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<MeasuredStage>> _stages = new(StringComparer.Ordinal);
    private readonly Dictionary<(string From, string To, bool IsExchange), SampleWindow<MeasuredTransfer>> _transfers = [];
    private long _sequence;

    /// <summary>Takes in how long a stage computed, time in queues not counted.</summary>
    /// <param name="deviceId">The device that ran it.</param>
    /// <param name="layers">The stage's layers, ascending.</param>
    /// <param name="time">The time that the runtime took.</param>
    /// <param name="deviceLoad">The share of the device, from 0 to below 1, that other work took meanwhile: without it the stage would have been that much faster.</param>
    public void RecordStage(string deviceId, ImmutableArray<int> layers, TimeSpan time, double deviceLoad = 0)
    {
        ArgumentNullException.ThrowIfNull(deviceId);
        if (layers.IsDefaultOrEmpty || time < TimeSpan.Zero)
            return;
        double seconds = time.TotalSeconds * (1 - Math.Clamp(deviceLoad, 0, 0.99));
        lock (_lock)
        {
            if (!_stages.TryGetValue(deviceId, out List<MeasuredStage>? stages))
                _stages.Add(deviceId, stages = []);
            MeasuredStage? stage = stages.Find(known => known.Layers == layers || known.Layers.AsSpan().SequenceEqual(layers.AsSpan()));
            if (stage is null)
            {
                if (stages.Count == MostStages)
                    stages.Remove(stages.MinBy(static known => known.LastSeen)!);
                stages.Add(stage = new MeasuredStage(layers, _options.Window));
            }
            stage.LastSeen = ++_sequence;
            stage.Seconds.Add(seconds);
        }
    }

    /// <summary>Takes in how long some bytes took from one device to another, the link's latency included.</summary>
    public void RecordTransfer(string from, string to, long byteCount, TimeSpan time) => Record((from, to, false), new MeasuredTransfer(byteCount, 0, time.TotalSeconds));

    /// <summary>Takes in how long bytes to a device and bytes back from it took together: what a caller sees who does not know when they arrived there.</summary>
    public void RecordExchange(string here, string there, long sentBytes, long receivedBytes, TimeSpan time) =>
        Record((here, there, true), new MeasuredTransfer(sentBytes, receivedBytes, time.TotalSeconds));

    /// <summary>Forgets what was measured on a device and on the links to and from it, as when another machine takes its place.</summary>
    public void Forget(string deviceId)
    {
        lock (_lock)
        {
            _stages.Remove(deviceId);
        }
        ForgetTransfers(deviceId);
    }

    /// <summary>Lets only the latest times of a stage count, as after a change of its device, and forgets the device's other stages, which were measured before.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="layers">The stage's layers, ascending.</param>
    /// <param name="count">How many times count.</param>
    public void KeepLatest(string deviceId, ImmutableArray<int> layers, int count)
    {
        ArgumentNullException.ThrowIfNull(deviceId);
        lock (_lock)
        {
            if (!_stages.TryGetValue(deviceId, out List<MeasuredStage>? stages))
                return;
            stages.RemoveAll(stage => !stage.Layers.AsSpan().SequenceEqual(layers.AsSpan()));
            foreach (MeasuredStage stage in stages)
                stage.Seconds.KeepLatest(count);
        }
    }

    /// <summary>Forgets what was measured on the links to and from a device, as when its links are known anew.</summary>
    public void ForgetTransfers(string deviceId)
    {
        lock (_lock)
        {
            foreach ((string From, string To, bool) link in _transfers.Keys.Where(link => link.From == deviceId || link.To == deviceId).ToArray())
                _transfers.Remove(link);
        }
    }

    /// <summary>Forgets what was measured on the link from one device to another.</summary>
    public void ForgetTransfers(string from, string to)
    {
        lock (_lock)
        {
            _transfers.Remove((from, to, false));
            _transfers.Remove((from, to, true));
        }
    }

    /// <summary>How much longer than in a problem the layers of each device take, and the links; 1 where they are as predicted, and absent where too little was measured.</summary>
    /// <param name="problem">A problem that is not corrected.</param>
    public CorrectionFactors FactorsFor(PartitionProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        lock (_lock)
        {
            var devices = ImmutableDictionary.CreateBuilder<string, double>(StringComparer.Ordinal);
            foreach (Device device in problem.Fleet.Devices)
            {
                if (StageCorrection.For(problem, device, Trusted(device.Id)) is { } correction)
                    devices.Add(device.Id, correction.Factor);
            }
            return new CorrectionFactors(devices.ToImmutable(), LinkFactors(problem).ToImmutableDictionary());
        }
    }

    /// <summary>The problem with its layer times and links as they were measured.</summary>
    /// <remarks>
    /// A layer of a measured stage takes the stage's time by its share of what was predicted; where several stages had it, the
    /// one seen last counts. Other layers of the device grow or shrink as its measured stages did. Of a link, latency and time per
    /// byte grow alike.
    /// </remarks>
    /// <param name="problem">A problem that is not corrected.</param>
    public PartitionProblem Apply(PartitionProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        lock (_lock)
        {
            ImmutableDictionary<string, ImmutableArray<double>> measured = problem.MeasuredLayerSeconds;
            foreach (Device device in problem.Fleet.Devices)
            {
                if (StageCorrection.For(problem, device, Trusted(device.Id)) is { } correction)
                    measured = measured.SetItem(device.Id, correction.LayerSeconds);
            }
            List<KeyValuePair<(string From, string To), double>> links = [.. LinkFactors(problem)];
            return problem with { MeasuredLayerSeconds = measured, Fleet = links.Count == 0 ? problem.Fleet : LinkCorrection.Apply(problem.Fleet, links) };
        }
    }

    private void Record((string From, string To, bool IsExchange) link, MeasuredTransfer transfer)
    {
        ArgumentNullException.ThrowIfNull(link.From);
        ArgumentNullException.ThrowIfNull(link.To);
        if (transfer.Seconds < 0 || link.From == link.To)
            return;
        lock (_lock)
        {
            if (!_transfers.TryGetValue(link, out SampleWindow<MeasuredTransfer>? window))
                _transfers.Add(link, window = new SampleWindow<MeasuredTransfer>(_options.Window));
            window.Add(transfer);
        }
    }

    private IEnumerable<MeasuredStage> Trusted(string deviceId) =>
        _stages.GetValueOrDefault(deviceId)?.Where(stage => stage.Seconds.Count >= _options.LeastSamples) ?? [];

    /// <summary>What each link's times are to be multiplied by; a transfer in one direction says more of a link than an exchange.</summary>
    private Dictionary<(string From, string To), double> LinkFactors(PartitionProblem problem)
    {
        var factors = new Dictionary<(string From, string To), double>();
        foreach (((string from, string to, bool isExchange), SampleWindow<MeasuredTransfer> window) in _transfers.OrderByDescending(static pair => pair.Key.IsExchange))
        {
            if (window.Count < _options.LeastSamples || LinkCorrection.Factor(problem, from, to, window) is not double factor)
                continue;
            factors[(from, to)] = factor;
            if (isExchange)
                factors[(to, from)] = factor;
        }
        return factors;
    }
}

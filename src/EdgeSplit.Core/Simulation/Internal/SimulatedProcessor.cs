using EdgeSplit.Devices;

namespace EdgeSplit.Simulation.Internal;

/// <summary>A host's processor: runs as many stages at a time as the device says, first come first served.</summary>
internal sealed class SimulatedProcessor(TimeProvider time, Device device, NoiseSource noise)
{
    private readonly SimulatedResource _stages = new(time, device.ConcurrentStages);
    private readonly Lock _lock = new();
    private TimeSpan _reportedBusy;
    private long _reportedAt;

    /// <summary>What the device's rates are multiplied by.</summary>
    public double SpeedFactor { get; set; } = 1;

    /// <summary>The share that other programs take.</summary>
    public double OtherLoad { get; set; } = device.CurrentLoad;

    /// <summary>Does, in turn, some work.</summary>
    /// <param name="idleSeconds">Seconds of the work on the device as it is described, without other work.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>How long it waited for its turn, and how long it computed then.</returns>
    public ValueTask<(TimeSpan Queue, TimeSpan Compute)> ComputeAsync(double idleSeconds, CancellationToken cancellationToken) =>
        _stages.UseAsync(() => TimeSpan.FromSeconds(idleSeconds / SpeedFactor / (1 - OtherLoad) * noise.NextFactor()), cancellationToken);

    /// <summary>The share of the processor's time that stages took since the last call: of the time that they ran, what other programs left them.</summary>
    public double TakeOwnShare()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            TimeSpan busy = _stages.BusyTime;
            TimeSpan span = time.GetElapsedTime(_reportedAt, now) * device.ConcurrentStages;
            double share = span > TimeSpan.Zero ? (busy - _reportedBusy) / span : 0;
            (_reportedBusy, _reportedAt) = (busy, now);
            return share * (1 - OtherLoad);
        }
    }
}

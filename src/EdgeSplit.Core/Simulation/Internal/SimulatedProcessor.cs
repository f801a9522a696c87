using EdgeSplit.Devices;

namespace EdgeSplit.Simulation.Internal;

/// <summary>A host's processor: runs as many stages at a time as the device says, first come first served.</summary>
internal sealed class SimulatedProcessor(TimeProvider time, Device device, NoiseSource noise)
{
    private readonly Lock _lock = new();
    private readonly long[] _freeAtTicks = new long[device.ConcurrentStages];
    private long _busyTicks;
    private long _reportedBusyTicks;
    private long _reportedAtTicks;

    /// <summary>What the device's rates are multiplied by.</summary>
    public double SpeedFactor { get; set; } = 1;

    /// <summary>The share that other programs take.</summary>
    public double OtherLoad { get; set; } = device.CurrentLoad;

    /// <summary>Takes in turn the time that some work needs.</summary>
    /// <param name="idleSeconds">Seconds of the work on the device as it is described, without other work.</param>
    /// <returns>How long it waits for its turn, and how long it computes then.</returns>
    public (TimeSpan Queue, TimeSpan Compute) Occupy(double idleSeconds)
    {
        long compute = TimeSpan.FromSeconds(idleSeconds / SpeedFactor / (1 - OtherLoad) * noise.NextFactor()).Ticks;
        lock (_lock)
        {
            long now = time.GetTimestamp();
            int first = 0;
            for (int i = 1; i < _freeAtTicks.Length; i++)
            {
                if (_freeAtTicks[i] < _freeAtTicks[first])
                    first = i;
            }
            long start = Math.Max(_freeAtTicks[first], now);
            _freeAtTicks[first] = start + compute;
            _busyTicks += compute;
            return (new TimeSpan(start - now), new TimeSpan(compute));
        }
    }

    /// <summary>The share of the processor that stages took since the last call.</summary>
    public double TakeBusyShare()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            // What was taken in turn but lies ahead has not been computed yet.
            long ahead = _freeAtTicks.Sum(free => Math.Max(free - now, 0));
            long done = Math.Max(_busyTicks - ahead, _reportedBusyTicks);
            long span = (now - _reportedAtTicks) * _freeAtTicks.Length;
            double share = span <= 0 ? 0 : Math.Clamp((double)(done - _reportedBusyTicks) / span, 0, 1);
            (_reportedBusyTicks, _reportedAtTicks) = (done, now);
            return share;
        }
    }
}

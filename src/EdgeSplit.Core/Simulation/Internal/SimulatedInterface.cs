namespace EdgeSplit.Simulation.Internal;

/// <summary>A host's way into the network: sends one tensor at a time and receives one at a time.</summary>
internal sealed class SimulatedInterface(TimeProvider time, TimeSpan latency, double bytesPerSecond, NoiseSource noise)
{
    private readonly Lock _lock = new();
    private long _sendsUntilTicks;
    private long _receivesUntilTicks;

    /// <summary>What the latency is multiplied by.</summary>
    public double LatencyFactor { get; set; } = 1;

    /// <summary>What the bandwidth is multiplied by.</summary>
    public double BandwidthFactor { get; set; } = 1;

    public TimeSpan Latency => latency * LatencyFactor;

    public double BytesPerSecond => bytesPerSecond * BandwidthFactor;

    /// <summary>Bytes sent and received so far.</summary>
    public long MovedBytes { get; private set; }

    /// <summary>Takes in turn the time that some bytes take to the host or from it, and gives when the last of them is there.</summary>
    public TimeSpan Occupy(long byteCount, bool isSending)
    {
        long busy = TimeSpan.FromSeconds(byteCount / BytesPerSecond * noise.NextFactor()).Ticks;
        lock (_lock)
        {
            ref long until = ref isSending ? ref _sendsUntilTicks : ref _receivesUntilTicks;
            long now = time.GetTimestamp();
            until = Math.Max(until, now) + busy;
            MovedBytes += byteCount;
            return new TimeSpan(until - now) + Latency;
        }
    }

    /// <summary>What a probe of some bytes takes there and back; it waits for no tensor.</summary>
    public TimeSpan RoundTrip(long byteCount) => ((2 * Latency) + TimeSpan.FromSeconds(byteCount / BytesPerSecond)) * noise.NextFactor();
}

namespace EdgeSplit.Simulation.Internal;

/// <summary>A host's way into the network: sends one tensor at a time and receives one at a time.</summary>
internal sealed class SimulatedInterface(TimeProvider time, TimeSpan latency, double bytesPerSecond, NoiseSource noise)
{
    private readonly SimulatedResource _sending = new(time, 1);
    private readonly SimulatedResource _receiving = new(time, 1);

    /// <summary>What the latency is multiplied by.</summary>
    public double LatencyFactor { get; set; } = 1;

    /// <summary>What the bandwidth is multiplied by.</summary>
    public double BandwidthFactor { get; set; } = 1;

    private TimeSpan Latency => latency * LatencyFactor;

    private double BytesPerSecond => bytesPerSecond * BandwidthFactor;

    public async ValueTask SendAsync(long byteCount, CancellationToken cancellationToken) => await MoveAsync(_sending, byteCount, cancellationToken).ConfigureAwait(false);

    public async ValueTask ReceiveAsync(long byteCount, CancellationToken cancellationToken) => await MoveAsync(_receiving, byteCount, cancellationToken).ConfigureAwait(false);

    /// <summary>What a probe of some bytes takes there and back; it waits for no tensor.</summary>
    public TimeSpan RoundTrip(long byteCount) => ((2 * Latency) + TimeSpan.FromSeconds(byteCount / BytesPerSecond)) * noise.NextFactor();

    private async ValueTask MoveAsync(SimulatedResource direction, long byteCount, CancellationToken cancellationToken)
    {
        if (byteCount > 0)
            await direction.UseAsync(() => TimeSpan.FromSeconds(byteCount / BytesPerSecond) * noise.NextFactor(), cancellationToken).ConfigureAwait(false);
        // The next may follow while the last bytes are still on their way.
        await PreciseDelay.WaitAsync(time, Latency, cancellationToken).ConfigureAwait(false);
    }
}

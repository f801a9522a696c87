using EdgeSplit.Compression;

namespace EdgeSplit.Devices;

/// <summary>The way from one device to another, in one direction.</summary>
public sealed record Link
{
    /// <summary>Time until the first byte arrives.</summary>
    /// <value>Default: 0.5 ms.</value>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(0.5);

    /// <summary>Bytes per second; infinite for a device to itself.</summary>
    /// <value>Default: 12.5 MB/s, 100 Mbit/s.</value>
    public double BytesPerSecond { get; init; } = 12.5e6;

    /// <summary>Energy that a byte costs sender and receiver together, in joules.</summary>
    public double JoulesPerByte { get; init; }

    /// <summary>How tensors are encoded on this link; null to send them as they are.</summary>
    public ActivationCompression? Compression { get; init; }

    /// <summary>Seconds that the link is busy with a byte of a tensor, encoding and decoding it included.</summary>
    public double SecondsPerByte => Compression?.SecondsPerByte(BytesPerSecond) ?? 1 / BytesPerSecond;

    /// <summary>Where the figures come from.</summary>
    public CostOrigin Origin { get; init; }

    /// <summary>From a device to itself: no time, no energy.</summary>
    public static Link Local { get; } = new() { Latency = TimeSpan.Zero, BytesPerSecond = double.PositiveInfinity };
}

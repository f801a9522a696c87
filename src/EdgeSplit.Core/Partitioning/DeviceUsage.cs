namespace EdgeSplit.Partitioning;

/// <summary>What one request costs one device.</summary>
public sealed record DeviceUsage
{
    /// <summary>Seconds of computing.</summary>
    public required double ComputeSeconds { get; init; }

    /// <summary>Seconds of sending.</summary>
    public required double SendSeconds { get; init; }

    /// <summary>Seconds of receiving.</summary>
    public required double ReceiveSeconds { get; init; }

    /// <summary>The device's load: what it or the busier direction of its interface is busy with one request, concurrent stages counted as parallel.</summary>
    public required double LoadSeconds { get; init; }

    /// <summary>Bytes of weights, each counted once, those of the current plan included where both epochs are to fit.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of activations at most, for as many requests as the device runs at a time.</summary>
    public required long ActivationBytes { get; init; }

    /// <summary>The number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>The memory that the plan takes on the device; 0 where it has no layer there.</summary>
    public long MemoryBytes => WeightBytes + ActivationBytes;
}

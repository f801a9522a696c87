namespace EdgeSplit.Transport.Testing;

/// <summary>What a <see cref="FaultInjectingTransport"/> does to the bytes that its side of a connection receives. Offsets count from the connection's start.</summary>
public sealed record ConnectionFaults
{
    /// <summary>The most bytes that one receive gives; 1 splits every frame at every byte.</summary>
    public int MaxReceiveBytes { get; init; } = int.MaxValue;

    /// <summary>No receive crosses this offset, so that a frame is split exactly there.</summary>
    public long? SplitAtByte { get; init; }

    /// <summary>One bit of the byte at this offset is flipped.</summary>
    public long? CorruptByte { get; init; }

    /// <summary>The connection breaks when this many bytes were received.</summary>
    public long? DropAfterBytes { get; init; }

    /// <summary>Nothing arrives any more after this many bytes, though the connection stays open.</summary>
    public long? StallAfterBytes { get; init; }

    /// <summary>Every receive takes this much longer.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>
    /// Seeds a random order in which frames of different streams arrive, as far as several are there; those of one stream keep theirs.
    /// Needs a connection without TLS. Offsets count in the new order.
    /// </summary>
    public int? ReorderSeed { get; init; }
}

namespace EdgeSplit.Compression;

/// <summary>What an encoding costs and gains.</summary>
public sealed record ActivationCompression
{
    /// <summary>The encoding.</summary>
    public required ActivationEncoding Encoding { get; init; }

    /// <summary>Encoded bytes for each byte of a tensor.</summary>
    public required double BytesRatio { get; init; }

    /// <summary>Bytes of tensors that the sender encodes in a second.</summary>
    public required double EncodeBytesPerSecond { get; init; }

    /// <summary>Bytes of tensors that the receiver decodes in a second.</summary>
    public required double DecodeBytesPerSecond { get; init; }

    /// <summary>The most by which a number changes, relative to the largest number of its tensor; 0 without loss.</summary>
    public required double LargestError { get; init; }

    /// <summary>Seconds for a byte of a tensor, from the sender's buffer to the receiver's, over a link of some bandwidth.</summary>
    public double SecondsPerByte(double bytesPerSecond) =>
        (BytesRatio / bytesPerSecond) + (1 / EncodeBytesPerSecond) + (1 / DecodeBytesPerSecond);
}

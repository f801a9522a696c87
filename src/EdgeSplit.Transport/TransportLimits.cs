using EdgeSplit.Transport.Framing;

namespace EdgeSplit.Transport;

/// <summary>What one side of a connection takes from the other. Checked on every frame before any memory is taken.</summary>
public sealed record TransportLimits
{
    /// <summary>The longest header of a frame, in bytes. About 40 bytes go to each tensor of a message.</summary>
    /// <value>Default: 64 KiB; at least 4 KiB.</value>
    public int MaxHeaderBytes { get; init; } = 64 * 1024;

    /// <summary>The largest tensor, in bytes; also the largest skeleton of a partition.</summary>
    /// <value>Default: 256 MiB.</value>
    public int MaxTensorBytes { get; init; } = 256 * 1024 * 1024;

    /// <summary>
    /// The bytes of tensors that one connection may hold, arriving or waiting to be consumed. The peer waits when it has sent
    /// that much. It is also the largest sum of one message's tensors.
    /// </summary>
    /// <value>Default: 512 MiB; at least <see cref="MaxTensorBytes"/>.</value>
    public long MaxBufferedBytes { get; init; } = 512 * 1024 * 1024;

    /// <summary>Requests of one connection that may be unanswered; further ones fail with <see cref="EdgeSplitError.Overloaded"/>.</summary>
    /// <value>Default: 256.</value>
    public int MaxConcurrentRequests { get; init; } = 256;

    /// <summary>The largest partition that is loaded, skeleton and weights together, in bytes.</summary>
    /// <value>Default: 16 GiB.</value>
    public long MaxPartitionBytes { get; init; } = 16L * 1024 * 1024 * 1024;

    internal WireLimits ToWireLimits() => new(MaxHeaderBytes, MaxTensorBytes, MaxBufferedBytes, MaxConcurrentRequests);

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxHeaderBytes, WireLimits.LeastHeaderBytes);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxTensorBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBufferedBytes, MaxTensorBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxConcurrentRequests);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxPartitionBytes);
    }
}

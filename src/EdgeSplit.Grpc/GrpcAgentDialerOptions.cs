using EdgeSplit.Agents;

namespace EdgeSplit.Grpc;

/// <summary>How a <see cref="GrpcAgentDialer"/> connects, and what its agent takes.</summary>
public sealed record GrpcAgentDialerOptions : GrpcConnectOptions
{
    /// <inheritdoc cref="GrpcServiceOptions.MaxPartitionBytes"/>
    public long MaxPartitionBytes { get; init; } = new GrpcServiceOptions().MaxPartitionBytes;

    /// <inheritdoc cref="GrpcServiceOptions.MaxBufferedBytes"/>
    public long MaxBufferedBytes { get; init; } = new GrpcServiceOptions().MaxBufferedBytes;

    /// <summary>Told of every connection that is made, lost or refused; null for nobody. Called on the thread pool.</summary>
    public IProgress<DialProgress>? Progress { get; init; }

    /// <summary>Who calls over the tunnel was let in by the coordinator's own port, so the agent asks for nothing.</summary>
    internal GrpcServiceOptions ForService() => new()
    {
        MaxTensorBytes = MaxTensorBytes,
        MaxPartitionBytes = MaxPartitionBytes,
        MaxBufferedBytes = MaxBufferedBytes,
        // The coordinator is the only one that calls.
        MaxBufferedBytesPerPeer = MaxBufferedBytes,
        HeartbeatInterval = HeartbeatInterval,
        IdleTimeout = IdleTimeout,
        Pool = Pool,
        TimeProvider = TimeProvider,
        LoggerFactory = LoggerFactory,
    };
}

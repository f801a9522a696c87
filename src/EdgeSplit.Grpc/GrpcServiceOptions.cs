using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc;

/// <summary>How gRPC services of EdgeSplit answer.</summary>
public record GrpcServiceOptions : GrpcOptions
{
    /// <summary>
    /// Allows calls from beyond this machine without a token and without a client's certificate: whoever reaches the port may
    /// load and run models and use up memory and disk. Only for networks in which everyone is trusted.
    /// </summary>
    public bool DangerouslyAllowUnauthenticatedRemoteCalls { get; init; }

    /// <summary>
    /// Tells whose a call to run a model is (<see cref="EdgeSplit.Coordination.RequestOptions.Client"/>). Whoever may name itself as it
    /// likes can take several clients' shares, so where clients are not trusted take something that they have proved.
    /// </summary>
    /// <value>Default: null, for the caller's address with what it calls itself in the header <c>edgesplit-client</c>.</value>
    public Func<HttpContext, string>? ClientOf { get; init; }

    /// <summary>The largest partition that an agent loads, skeleton and weights together, in bytes.</summary>
    /// <value>Default: 16 GiB.</value>
    public long MaxPartitionBytes { get; init; } = 16L << 30;

    /// <summary>The bytes of tensors that calls may hold at a time, all together; further calls fail with <see cref="EdgeSplitError.Overloaded"/>.</summary>
    /// <value>Default: 4 GiB.</value>
    public long MaxBufferedBytes { get; init; } = 4L << 30;

    /// <summary>
    /// The bytes of tensors that calls from one address (an IPv4 address or an IPv6 /64) may hold at a time; further ones fail with
    /// <see cref="EdgeSplitError.Overloaded"/>. Behind a proxy all callers have its address.
    /// </summary>
    /// <value>Default: half of <see cref="MaxBufferedBytes"/>.</value>
    public long MaxBufferedBytesPerPeer { get => field > 0 ? field : MaxBufferedBytes / 2; init; }
}

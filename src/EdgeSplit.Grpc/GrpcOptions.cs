using EdgeSplit.Tensors;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeSplit.Grpc;

/// <summary>What both ends of a gRPC connection need to know.</summary>
public abstract record GrpcOptions
{
    /// <summary>
    /// A secret that callers send with every call, as <c>authorization: Bearer TOKEN</c>; null for none. At least 16 characters.
    /// Unlike a join token of the TCP transport it is sent as it is, so use it with TLS.
    /// </summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: it is shorter.</exception>
    public string? Token { get; init => field = Checked(value); }

    /// <summary>The largest tensor that is taken, in bytes.</summary>
    /// <value>Default: 1 GiB.</value>
    public int MaxTensorBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 1 << 30;

    /// <summary>The time between two signs of life of a session.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan HeartbeatInterval { get; init => field = Positive(value); } = TimeSpan.FromSeconds(5);

    /// <summary>A session in which the other side gives no sign of life for this long is given up.</summary>
    /// <value>Default: 20 seconds.</value>
    public TimeSpan IdleTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(20);

    /// <summary>Gives the memory for tensors that arrive.</summary>
    public TensorBufferPool Pool { get; init; } = TensorBufferPool.Shared;

    /// <summary>Tells the time. Deadlines of calls are gRPC's own and follow the system's clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Makes the logger; null logs nothing.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    internal ILogger CreateLogger<T>() => (LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<T>();

    private protected static TimeSpan Positive(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }

    private static string? Checked(string? token)
    {
        const int MinLength = 16;
        token = token?.Trim();
        return token is null || token.Length >= MinLength
            ? token
            : throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The token has {token.Length} characters; it needs at least {MinLength}.");
    }
}

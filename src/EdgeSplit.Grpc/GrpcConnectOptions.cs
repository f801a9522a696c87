using System.Security.Cryptography.X509Certificates;

namespace EdgeSplit.Grpc;

/// <summary>How to reach a gRPC server of EdgeSplit.</summary>
public record GrpcConnectOptions : GrpcOptions
{
    /// <summary>With <c>https</c>: the authorities of which one must have issued the server's certificate; null for those that this machine trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>With <c>https</c>: the own certificate, with its private key, for servers that ask for one.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>With <c>https</c>: the name that the server's certificate must have; null for the one that is connected to.</summary>
    public string? ServerName { get; init; }

    /// <summary>Allows to send the token without TLS beyond this machine, where whoever watches the network can read it.</summary>
    public bool DangerouslyAllowTokenWithoutTls { get; init; }

    /// <summary>The time that connecting may take.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan ConnectTimeout { get; init => field = Positive(value); } = TimeSpan.FromSeconds(10);

    /// <summary>The deadline of one call; then it fails with <see cref="EdgeSplitError.DeadlineExceeded"/>. Loads have none.</summary>
    /// <value>Default: no limit.</value>
    public TimeSpan RequestTimeout
    {
        get;
        init => field = value == Timeout.InfiniteTimeSpan ? value : Positive(value);
    } = Timeout.InfiniteTimeSpan;

    /// <summary>The first wait before a lost connection is made anew; it doubles with each try that fails.</summary>
    /// <value>Default: 0.5 seconds.</value>
    public TimeSpan RetryDelay { get; init => field = Positive(value); } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait between two tries.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan MaxRetryDelay { get; init => field = Positive(value); } = TimeSpan.FromSeconds(30);
}

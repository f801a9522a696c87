using EdgeSplit.Agents.Internal;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport;

/// <summary>How to connect to a peer that listens, and when to try again.</summary>
public abstract record ConnectOptions : TransportOptions
{
    /// <summary>Encrypts the connection; null if the peer does not.</summary>
    public TlsClientOptions? Tls { get; init; }

    /// <summary>The time that connecting may take, handshake included.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The wait before a lost connection is made anew. It doubles with each try that fails, and is cut at random by up to half,
    /// so that not all come back at once.
    /// </summary>
    /// <value>Default: 0.5 seconds.</value>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The longest wait between two tries.</summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan MaxRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    internal Backoff CreateBackoff() => new(RetryDelay, MaxRetryDelay);

    internal override void Validate()
    {
        base.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RetryDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetryDelay, RetryDelay);
    }
}

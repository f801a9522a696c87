namespace EdgeSplit.Transport;

/// <summary>How a <see cref="RemoteEdgeAgent"/> connects.</summary>
public sealed record RemoteEdgeAgentOptions : ConnectOptions
{
    /// <summary>The time that one request may take; then it is taken back and fails with <see cref="EdgeSplitError.DeadlineExceeded"/>.</summary>
    /// <value>Default: no limit. Loads have none in any case.</value>
    public TimeSpan RequestTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    internal override void Validate()
    {
        base.Validate();
        CheckRequestTimeout(RequestTimeout);
    }

    internal static void CheckRequestTimeout(TimeSpan requestTimeout)
    {
        if (requestTimeout != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(requestTimeout, TimeSpan.Zero);
    }
}

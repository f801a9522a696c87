namespace EdgeSplit.Coordination.Membership;

/// <summary>How a coordinator watches its agents.</summary>
public sealed record MembershipOptions
{
    /// <summary>The time between two reports that an agent is asked for.</summary>
    /// <value>Default: 250 ms.</value>
    public TimeSpan ReportInterval { get; init => field = Positive(value); } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// An agent that owes a report for this long is lost. Together with the interval this is what finding a dead, stopped or
    /// cut-off agent takes at most; one whose connection breaks is found at once.
    /// </summary>
    /// <value>Default: 700 ms.</value>
    public TimeSpan Lease { get; init => field = Positive(value); } = TimeSpan.FromMilliseconds(700);

    /// <summary>An agent that is lost this often within <see cref="FlapWindow"/> is quarantined when it comes back.</summary>
    /// <value>Default: 3.</value>
    public int FlapLimit
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "An agent is lost at least once before it is quarantined.");
    } = 3;

    /// <summary>The time within which losses count together.</summary>
    /// <value>Default: 1 minute.</value>
    public TimeSpan FlapWindow { get; init => field = Positive(value); } = TimeSpan.FromMinutes(1);

    /// <summary>The first quarantine; each further one within <see cref="FlapWindow"/> of the last takes twice as long.</summary>
    /// <value>Default: 10 seconds.</value>
    public TimeSpan Quarantine { get; init => field = Positive(value); } = TimeSpan.FromSeconds(10);

    /// <summary>The longest quarantine.</summary>
    /// <value>Default: 5 minutes.</value>
    public TimeSpan LongestQuarantine { get; init => field = Positive(value); } = TimeSpan.FromMinutes(5);

    private static TimeSpan Positive(TimeSpan value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
        return value;
    }
}

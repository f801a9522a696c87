namespace EdgeSplit.Coordination.Adaptation;

/// <summary>When a coordinator looks for another plan, and what decides whether it is taken.</summary>
public sealed record AdaptationOptions
{
    /// <summary>Decides whether another plan is taken.</summary>
    /// <value>Default: a <see cref="PayoffPolicy"/>.</value>
    public IRepartitionPolicy Policy { get; init; } = new PayoffPolicy();

    /// <summary>
    /// The relative change of a stage's compute time that counts as one. The last six runs, or the median of the last sixteen,
    /// must have changed by it: that single runs deviate by 20% changes nothing.
    /// </summary>
    /// <value>Default: 0.25.</value>
    public double StageTimeChange { get; init => field = Positive(value); } = 0.25;

    /// <summary>The relative change of the least time that tensors take to and from an agent that counts as one. Queues make single transfers slow, so the least of the last eight is compared; four in a row that take three times as long are enough.</summary>
    /// <value>Default: 0.5.</value>
    public double LinkTimeChange { get; init => field = Positive(value); } = 0.5;

    /// <summary>The change of the share that other programs take of a device that counts as one.</summary>
    /// <value>Default: 0.25.</value>
    public double OtherLoadChange { get; init => field = Positive(value); } = 0.25;

    /// <summary>
    /// Bytes of memory that shall be left on each agent. One that has less in three reports in a row is given back what is
    /// missing: what stands by there is unloaded, and plans take less of it, until twice as much is left again.
    /// </summary>
    /// <value>Default: 64 MiB; 0 for none.</value>
    public long LeastFreeMemoryBytes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A number of bytes is 0 or more.");
    } = 64L << 20;

    /// <summary>The least time between two searches for another plan, which take some processor time.</summary>
    /// <value>Default: 500 ms.</value>
    public TimeSpan SearchInterval
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time is 0 or more.");
    } = TimeSpan.FromMilliseconds(500);

    /// <summary>Bytes per second that all probes of idle links together may take, and those of links whose tensors are overdue, which are looked at at once and paid for afterwards.</summary>
    /// <value>Default: 256 KiB/s; 0 for no probes.</value>
    public int ProbeBytesPerSecond
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A rate is 0 or more.");
    } = 256 << 10;

    /// <summary>
    /// How long after it was left out an agent that had become slow is tried again, by some runs of the stage that showed it; each
    /// later try waits twice as long as the one before, up to 32 times this. Models whose values have no known shapes are left out.
    /// </summary>
    /// <value>Default: 15 s; 0 for never.</value>
    public TimeSpan RecoveryCheckInterval
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time is 0 or more.");
    } = TimeSpan.FromSeconds(15);

    /// <summary>What is prepared for the loss of agents; null for nothing, and for a loss to wait for the partitioner.</summary>
    public StandbyOptions? Standby { get; init; } = new();

    /// <summary>Decisions that are kept to be read.</summary>
    /// <value>Default: 1000.</value>
    public int KeptDecisions
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least one decision is kept.");
    } = 1000;

    private static double Positive(double value) =>
        value > 0 && double.IsFinite(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A change is more than 0.");
}

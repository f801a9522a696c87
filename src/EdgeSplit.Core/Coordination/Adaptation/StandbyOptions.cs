namespace EdgeSplit.Coordination.Adaptation;

/// <summary>What is prepared for the loss of each agent that a plan needs, while nothing is lost yet.</summary>
/// <remarks>
/// For each agent another one is chosen that takes over all that it runs, so that only one agent has to load anything. Such a plan
/// satisfies the constraints and is the cheapest of its kind; it serves at once, and is then weighed against a plan that the
/// partitioner finds.
/// </remarks>
public sealed record StandbyOptions
{
    /// <summary>How far to prepare, where memory allows it.</summary>
    /// <value>Default: <see cref="StandbyReadiness.Loaded"/>.</value>
    public StandbyReadiness Readiness
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such readiness.");
    } = StandbyReadiness.Loaded;

    /// <summary>Agents whose loss is prepared for, at most; those that compute longest come first.</summary>
    /// <value>Default: 8.</value>
    public int MostAgents
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least one agent's loss is prepared for; null options for none.");
    } = 8;

    /// <summary>How long a plan is in use before its agents' losses are prepared for.</summary>
    /// <value>Default: 250 ms.</value>
    public TimeSpan Delay
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time is 0 or more.");
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>The share of an agent's link that weights which are sent ahead may take.</summary>
    /// <value>Default: 0.25.</value>
    public double LinkShare { get; init => field = Share(value); } = 0.25;

    /// <summary>The share of the memory that is left on an agent which partitions that stand by may take; what does not fit is only fetched.</summary>
    /// <value>Default: 0.5.</value>
    public double MemoryShare { get; init => field = Share(value); } = 0.5;

    /// <summary>
    /// Models whose weights are no more bytes than this are sent ahead as a whole, when what stands by is ready, to all agents that plans may
    /// use, <see cref="MostAgents"/> of them at most: whatever plan comes next, nothing has to travel for it.
    /// </summary>
    /// <value>Default: 256 MiB; 0 for none.</value>
    public long SpreadBytes
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A number of bytes is 0 or more.");
    } = 256L << 20;

    private static double Share(double value) =>
        value is > 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A share is above 0 and at most 1.");
}

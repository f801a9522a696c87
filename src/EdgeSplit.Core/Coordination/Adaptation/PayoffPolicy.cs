using System.Globalization;

namespace EdgeSplit.Coordination.Adaptation;

/// <summary>
/// Switches when it pays: the relative gain over <see cref="Horizon"/> must be worth more time than the switch takes, be above
/// <see cref="MinimumGain"/>, and the plan in use must have been so for <see cref="DwellTime"/>, or longer where plans have not lasted of late.
/// </summary>
public sealed class PayoffPolicy : IRepartitionPolicy
{
    // What is gained where the other plan is twice as fast.
    private const double LargeGain = 0.5;

    /// <inheritdoc/>
    public string Name => "payoff";

    /// <summary>The time over which a gain counts: how long conditions are trusted to stay as they are.</summary>
    /// <value>Default: 2 minutes.</value>
    public TimeSpan Horizon
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A horizon is more than 0.");
    } = TimeSpan.FromMinutes(2);

    /// <summary>The least relative gain: what is below may be an error of measurement (predictions are good to about 10%).</summary>
    /// <value>Default: 0.1.</value>
    public double MinimumGain
    {
        get;
        init => field = value is >= 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A gain is 0 or more and below 1.");
    } = 0.1;

    /// <summary>
    /// The least time between two switches. The first one after a quiet time does not wait; from the third within five minutes on
    /// the time doubles with each, as conditions that change so often are not worth following: for a gain of <see cref="MinimumGain"/>, and less so for
    /// larger ones. For a gain of more than a half it does not grow, and is shorter the larger the gain is: a quarter of it for seven eighths.
    /// </summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan DwellTime
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time is 0 or more.");
    } = TimeSpan.FromSeconds(5);

    /// <summary>The longest that <see cref="DwellTime"/> grows to.</summary>
    /// <value>Default: 2 minutes.</value>
    public TimeSpan LongestDwellTime
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time is 0 or more.");
    } = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public RepartitionVerdict Decide(RepartitionProposal proposal)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        if (!proposal.Current.IsFeasible)
            return new RepartitionVerdict(true, $"The plan in use breaks a constraint: {proposal.Current.Violations[0].Message}");
        double gain = proposal.RelativeGain;
        if (gain < MinimumGain)
            return new RepartitionVerdict(false, string.Create(CultureInfo.InvariantCulture, $"A gain of {gain:0.0%} is below the least of {MinimumGain:0.0%}."));
        TimeSpan worth = gain * Horizon;
        if (worth <= proposal.SwitchTime)
        {
            return new RepartitionVerdict(false, string.Create(
                CultureInfo.InvariantCulture,
                $"A gain of {gain:0.0%} over {Horizon.TotalSeconds:0.#} s is worth {worth.TotalSeconds:0.0} s; the switch takes {proposal.SwitchTime.TotalSeconds:0.0} s."));
        }
        // No noise makes one plan look twice as fast as another; so much is not waited for as long as conditions that only seem to change are.
        TimeSpan dwell = gain >= LargeGain ? DwellTime * ((1 - gain) / (1 - LargeGain)) : DwellAfter(proposal.RecentSwitches, (LargeGain - gain) / (LargeGain - MinimumGain));
        if (proposal.SinceLastSwitch < dwell)
        {
            return new RepartitionVerdict(
                false,
                string.Create(CultureInfo.InvariantCulture, $"A gain of {gain:0.0%} waits: the last switch was {proposal.SinceLastSwitch.TotalSeconds:0.0} s ago, and {dwell.TotalSeconds:0.#} s must pass."),
                dwell - proposal.SinceLastSwitch);
        }
        return new RepartitionVerdict(true, string.Create(
            CultureInfo.InvariantCulture,
            $"A gain of {gain:0.0%} over {Horizon.TotalSeconds:0.#} s is worth {worth.TotalSeconds:0.0} s; the switch takes {proposal.SwitchTime.TotalSeconds:0.0} s."));
    }

    /// <param name="switches">The switches of late.</param>
    /// <param name="smallness">1 for the smallest gain, 0 for a large one.</param>
    private TimeSpan DwellAfter(int switches, double smallness)
    {
        // More doublings than these exceed any limit.
        TimeSpan grown = DwellTime * Math.Pow(2, Math.Clamp(switches - 1, 0, 20) * smallness);
        return grown < LongestDwellTime ? grown : DwellTime > LongestDwellTime ? DwellTime : LongestDwellTime;
    }
}

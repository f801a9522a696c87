using EdgeSplit.Agents;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Measures links with probes of several sizes.</summary>
/// <remarks>
/// What is not the link's only ever makes a probe slower: a processor that is busy, other tensors before it. So the shortest of some counts.
/// And it makes small and large ones slower alike, so bandwidth is taken from transfers that take telling time, by what the larger took
/// longer than the smaller: a few milliseconds of waiting for a processor would be a bandwidth of 10 MB/s to a probe of 64 KiB. That also
/// leaves out what a link lets through in one burst, as many shaped ones do.
/// </remarks>
internal static class LinkMeasurement
{
    private const int EmptyProbes = 5;
    private const int LoadedProbes = 3;
    private const int SmallestPayload = 64 << 10;
    private const int LargestPayload = 4 << 20;
    private const int Growth = 4;

    // Links whose bandwidths differ by less are the same.
    private const double Negligible = 0.1;

    // What explains so much of a time explains it.
    private const double ExplainedShare = 0.75;
    private static readonly TimeSpan TellingTime = TimeSpan.FromMilliseconds(10);

    /// <summary>What takes longer waited for no processor: nothing is learnt from doing it again.</summary>
    private static readonly TimeSpan LongTime = TimeSpan.FromMilliseconds(200);

    // Probes that take longer say less than the bytes that were there before them; so many round trips are allowed besides.
    private static readonly TimeSpan LongestRevision = TimeSpan.FromMilliseconds(500);
    private const int RoundTripsOfRevision = 20;

    /// <summary>Measures the link to an agent.</summary>
    public static ValueTask<Link> MeasureAsync(IEdgeAgent agent, CancellationToken cancellationToken) => MeasureAsync(agent.ProbeAsync, cancellationToken);

    /// <summary>Measures a link with whatever probes it: half the shortest round trip of an empty probe is its latency.</summary>
    public static async ValueTask<Link> MeasureAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, CancellationToken cancellationToken)
    {
        TimeSpan empty = await ShortestAsync(probe, 0, EmptyProbes, cancellationToken).ConfigureAwait(false);
        double bytesPerSecond = await MeasureBandwidthAsync(probe, empty, cancellationToken).ConfigureAwait(false);
        return empty == TimeSpan.Zero && double.IsPositiveInfinity(bytesPerSecond)
            ? Link.Local
            : new Link { Latency = empty / 2, BytesPerSecond = Math.Min(bytesPerSecond, LargestPayload / 1e-6), Origin = CostOrigin.Calibrated };
    }

    /// <summary>What a link must be by now, from what some bytes took there and back, and probes.</summary>
    /// <param name="probe">Probes the link.</param>
    /// <param name="link">The link as it was known.</param>
    /// <param name="byteCount">The bytes, of both directions together.</param>
    /// <param name="seconds">What they took, latencies included.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask<Link> ReviseAsync(
        Func<int, CancellationToken, ValueTask<TimeSpan>> probe, Link link, long byteCount, double seconds, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(LongestRevision + (RoundTripsOfRevision * 2 * link.Latency), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await ReviseAsync(probe, link, byteCount, seconds, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // What keeps probes from coming back kept the bytes, too.
            return link with { BytesPerSecond = BandwidthFrom(link, byteCount, seconds - (2 * link.Latency.TotalSeconds)), Origin = CostOrigin.Profiled };
        }
    }

    private static async ValueTask<Link> ReviseAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, Link link, long byteCount, double seconds, CancellationToken cancellationToken)
    {
        TimeSpan empty = await ShortestAsync(probe, 0, EmptyProbes, cancellationToken).ConfigureAwait(false);
        double moving = seconds - empty.TotalSeconds, expected = byteCount * link.SecondsPerByte;
        double bytesPerSecond = BandwidthFrom(link, byteCount, moving);
        if (bytesPerSecond < link.BytesPerSecond * (1 - Negligible))
        {
            // Perhaps the bytes only waited, for others or for a processor; probes that find a gap show it.
            double probed = await MeasureBandwidthAsync(probe, empty, cancellationToken).ConfigureAwait(false);
            bytesPerSecond = Math.Max(bytesPerSecond, Math.Min(probed, link.BytesPerSecond));
        }
        else if (bytesPerSecond > link.BytesPerSecond * (1 + Negligible) && moving < TellingTime.TotalSeconds)
        {
            // Perhaps they were only a burst that the link lets through.
            double probed = await MeasureBandwidthAsync(probe, empty, cancellationToken).ConfigureAwait(false);
            bytesPerSecond = Math.Max(Math.Min(bytesPerSecond, probed), link.BytesPerSecond);
        }
        // On a link that has less to give empty probes wait behind what is on its way: that is no latency, unless it explains what the bytes took.
        bool isQueue = bytesPerSecond < link.BytesPerSecond * (1 - Negligible) && empty.TotalSeconds + expected < seconds * ExplainedShare;
        TimeSpan latency = isQueue && empty / 2 > link.Latency ? link.Latency : empty / 2;
        return link with { Latency = latency, BytesPerSecond = bytesPerSecond, Origin = CostOrigin.Profiled };
    }

    /// <summary>What a link is at most by a probe that takes so long that nothing is learnt from another; null where it does not.</summary>
    /// <param name="link">The link as it was known.</param>
    /// <param name="byteCount">The probe's bytes.</param>
    /// <param name="taken">What it has taken, or takes by now, more than the link's latencies.</param>
    public static Link? Limit(Link link, int byteCount, TimeSpan taken) => taken <= LongTime ? null : link with
    {
        BytesPerSecond = Math.Min(BytesPerSecond(byteCount, taken - (2 * link.Latency)), link.BytesPerSecond),
        Origin = CostOrigin.Profiled,
    };

    /// <summary>The bandwidth; infinite where nothing takes any time.</summary>
    private static async ValueTask<double> MeasureBandwidthAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, TimeSpan empty, CancellationToken cancellationToken)
    {
        (int Bytes, TimeSpan Taken) smaller = (0, empty);
        for (int payload = SmallestPayload; ; payload *= Growth)
        {
            TimeSpan taken = await ShortestAsync(probe, payload, LoadedProbes, cancellationToken).ConfigureAwait(false);
            if (taken - empty > LongTime)
                return BytesPerSecond(payload, taken - empty);
            // Empty probes may have waited for nothing, so two loaded ones are compared.
            if (smaller.Bytes > 0 && (taken - smaller.Taken >= TellingTime || payload >= LargestPayload))
                return BytesPerSecond(payload - smaller.Bytes, taken - smaller.Taken);
            smaller = (payload, taken);
        }
    }

    /// <summary>The bandwidth with which some bytes take a time; as it was known where latency is all of it, as the bytes then say nothing of it.</summary>
    private static double BandwidthFrom(Link link, long byteCount, double moving)
    {
        double expected = byteCount * link.SecondsPerByte;
        return moving > 0 && expected > 0 && double.IsFinite(link.BytesPerSecond) ? link.BytesPerSecond * expected / moving : link.BytesPerSecond;
    }

    private static double BytesPerSecond(int bytes, TimeSpan time) => time > TimeSpan.Zero ? bytes / time.TotalSeconds : double.PositiveInfinity;

    private static async ValueTask<TimeSpan> ShortestAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, int payload, int count, CancellationToken cancellationToken)
    {
        TimeSpan shortest = TimeSpan.MaxValue;
        for (int i = 0; i < count; i++)
        {
            TimeSpan roundTrip = await probe(payload, cancellationToken).ConfigureAwait(false);
            shortest = roundTrip < shortest ? roundTrip : shortest;
            if (shortest > LongTime)
                break;
        }
        return shortest;
    }
}

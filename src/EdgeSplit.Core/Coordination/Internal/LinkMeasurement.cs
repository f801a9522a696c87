using EdgeSplit.Agents;
using EdgeSplit.Devices;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Measures the link to an agent with probes of two sizes.</summary>
internal static class LinkMeasurement
{
    private const int SmallProbes = 5;
    private const int LargeProbes = 2;
    private const int RevisingProbes = 3;
    private const int SmallestLargePayload = 64 << 10;
    private const int LargestPayload = 4 << 20;
    private static readonly TimeSpan TellingTime = TimeSpan.FromMilliseconds(10);

    /// <summary>
    /// Half the shortest round trip of an empty probe is the latency. The payload then grows until it takes telling time, and
    /// what it takes longer than the empty one gives the bandwidth. Shortest times are used as anything else only adds to them.
    /// </summary>
    public static ValueTask<Link> MeasureAsync(IEdgeAgent agent, CancellationToken cancellationToken) => MeasureAsync(agent.ProbeAsync, cancellationToken);

    /// <summary>Measures a link with whatever probes it.</summary>
    public static async ValueTask<Link> MeasureAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, CancellationToken cancellationToken)
    {
        TimeSpan empty = await ShortestAsync(probe, 0, SmallProbes, cancellationToken).ConfigureAwait(false);
        for (int payload = SmallestLargePayload; ; payload *= 4)
        {
            TimeSpan loaded = await ShortestAsync(probe, payload, LargeProbes, cancellationToken).ConfigureAwait(false);
            if (loaded - empty < TellingTime && payload < LargestPayload)
                continue;
            if (empty == TimeSpan.Zero && loaded == TimeSpan.Zero)
                return Link.Local;
            double seconds = Math.Max((loaded - empty).TotalSeconds, 1e-6);
            return new Link { Latency = empty / 2, BytesPerSecond = payload / seconds, Origin = CostOrigin.Calibrated };
        }
    }

    /// <summary>What a link must be by now, from what some bytes took there and back, and empty probes that tell its latency.</summary>
    /// <param name="probe">Probes the link.</param>
    /// <param name="link">The link as it was known.</param>
    /// <param name="byteCount">The bytes, of both directions together.</param>
    /// <param name="seconds">What they took, latencies included.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async ValueTask<Link> ReviseAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, Link link, long byteCount, double seconds, CancellationToken cancellationToken)
    {
        TimeSpan roundTrip = await ShortestAsync(probe, 0, RevisingProbes, cancellationToken).ConfigureAwait(false);
        double moving = seconds - roundTrip.TotalSeconds, expected = byteCount * link.SecondsPerByte;
        // Where latency is all of it, the bytes say nothing of the bandwidth.
        double bytesPerSecond = moving > 0 && expected > 0 && double.IsFinite(link.BytesPerSecond) ? link.BytesPerSecond * expected / moving : link.BytesPerSecond;
        if (bytesPerSecond < link.BytesPerSecond)
        {
            // Perhaps the bytes only waited for others; a probe that finds a gap between them shows it.
            TimeSpan loaded = await ShortestAsync(probe, SmallestLargePayload, RevisingProbes, cancellationToken).ConfigureAwait(false);
            double probed = SmallestLargePayload / Math.Max((loaded - roundTrip).TotalSeconds, 1e-6);
            bytesPerSecond = Math.Max(bytesPerSecond, Math.Min(probed, link.BytesPerSecond));
        }
        return link with { Latency = roundTrip / 2, BytesPerSecond = bytesPerSecond, Origin = CostOrigin.Profiled };
    }

    private static async ValueTask<TimeSpan> ShortestAsync(Func<int, CancellationToken, ValueTask<TimeSpan>> probe, int payload, int count, CancellationToken cancellationToken)
    {
        TimeSpan shortest = TimeSpan.MaxValue;
        for (int i = 0; i < count; i++)
        {
            TimeSpan roundTrip = await probe(payload, cancellationToken).ConfigureAwait(false);
            shortest = roundTrip < shortest ? roundTrip : shortest;
        }
        return shortest;
    }
}

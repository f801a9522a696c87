using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Costs.Internal;

/// <summary>A transfer, or an exchange in both directions, and the time that it took.</summary>
internal readonly record struct MeasuredTransfer(long Bytes, long BytesBack, double Seconds);

/// <summary>Corrects links.</summary>
internal static class LinkCorrection
{
    private const double TypicalShare = 0.25;

    /// <summary>How much longer transfers took than predicted; null where the devices are not in the fleet or their link is free.</summary>
    public static double? Factor(PartitionProblem problem, string from, string to, SampleWindow<MeasuredTransfer> window)
    {
        int sender = problem.Fleet.IndexOf(from), receiver = problem.Fleet.IndexOf(to);
        if (sender < 0 || receiver < 0)
            return null;
        Link there = problem.Fleet.LinkBetween(sender, receiver), back = problem.Fleet.LinkBetween(receiver, sender);
        double[] ratios = new double[window.Count];
        for (int i = 0; i < ratios.Length; i++)
        {
            MeasuredTransfer transfer = window.Samples[i];
            double predicted = Seconds(transfer.Bytes, there) + Seconds(transfer.BytesBack, back);
            if (!(predicted > 0))
                return null;
            ratios[i] = transfer.Seconds / predicted;
        }
        double factor = Quantiles.Of(ratios, TypicalShare);
        return factor > 0 ? factor : null;

        double Seconds(long bytes, Link link) => bytes > 0 ? link.Latency.TotalSeconds + problem.CostModel.TransferSeconds(bytes, link) : 0;
    }

    public static Fleet Apply(Fleet fleet, IEnumerable<KeyValuePair<(string From, string To), double>> factors)
    {
        Dictionary<(string From, string To), Link> links = fleet.ListedLinks.ToDictionary(
            pair => (fleet.Devices[pair.Key.From].Id, fleet.Devices[pair.Key.To].Id), static pair => pair.Value);
        foreach (((string from, string to), double factor) in factors)
        {
            Link link = fleet.LinkBetween(fleet.IndexOf(from), fleet.IndexOf(to));
            links[(from, to)] = link with { Latency = link.Latency * factor, BytesPerSecond = link.BytesPerSecond / factor, Origin = CostOrigin.Profiled };
        }
        return new Fleet(fleet.Devices, links, fleet.DefaultLink);
    }
}

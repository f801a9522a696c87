namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The pigeonhole bound of the bottleneck: of the largest units, some device must take more than its share, however the rest
/// is placed (Dell'Amico, Martello, "Optimal Scheduling of Tasks on Identical Parallel Processors", ORSA J. on Computing 1995, section 1, for devices that differ).
/// </summary>
internal static class CountingBound
{
    /// <summary>Sets of more units than this are nearly as divisible as the fluid bound takes them to be.</summary>
    private const int MostUnits = 256;

    private const int Halvings = 50;

    public static double BottleneckSeconds(PlacementModel model, PlacementUnits units, DeviceKinds kinds)
    {
        int[] largest = [.. Enumerable.Range(0, units.Count).OrderByDescending(unit => LeastSeconds(model, units, unit)).Take(MostUnits)];
        double bound = 0;
        // By kind, the seconds of the units taken so far, ascending.
        List<double>[] seconds = [.. kinds.Members.Select(static _ => new List<double>())];
        for (int count = 1; count <= largest.Length; count++)
        {
            for (int kind = 0; kind < seconds.Length; kind++)
            {
                int device = kinds.Members[kind][0];
                if (!units.IsAllowed(largest[count - 1], device))
                    continue;
                double value = units.SecondsOf(largest[count - 1], device) / model.Slots[device];
                int at = seconds[kind].BinarySearch(value);
                seconds[kind].Insert(at < 0 ? ~at : at, value);
            }
            if (Places(seconds, kinds, bound, count) < count)
                bound = Raise(seconds, kinds, bound, count);
        }
        return bound;
    }

    private static double LeastSeconds(PlacementModel model, PlacementUnits units, int unit) =>
        units.Choices[unit].Min(device => units.SecondsOf(unit, device) / model.Slots[device]);

    /// <summary>The largest bottleneck, from below, at which the units still do not all have a place.</summary>
    private static double Raise(List<double>[] seconds, DeviceKinds kinds, double low, int count)
    {
        double high = Math.Max(low, 1e-9);
        while (Places(seconds, kinds, high, count) < count)
            (low, high) = (high, 2 * high);
        for (int round = 0; round < Halvings; round++)
        {
            double middle = (low + high) / 2;
            if (Places(seconds, kinds, middle, count) < count)
                low = middle;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>How many of the units all devices together can take, each the smallest first, when none is busy for longer than a bottleneck.</summary>
    private static int Places(List<double>[] seconds, DeviceKinds kinds, double bottleneck, int enough)
    {
        int places = 0;
        for (int kind = 0; kind < seconds.Length; kind++)
        {
            double sum = 0;
            int taken = 0;
            while (taken < seconds[kind].Count && sum + seconds[kind][taken] <= bottleneck)
                sum += seconds[kind][taken++];
            places += taken * kinds.Members[kind].Length;
            if (places >= enough)
                break;
        }
        return places;
    }
}

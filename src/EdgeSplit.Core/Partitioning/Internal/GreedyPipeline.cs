namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// Contiguous splits over very many devices: for a largest load that is halved in on, each part goes to the device that
/// gets furthest with it, the slowest of those that get as far.
/// </summary>
internal static class GreedyPipeline
{
    private const int Rounds = 24;

    /// <summary>The split with the least largest load that was found, or null.</summary>
    public static int[]? Solve(PlacementModel model, ContiguousSegments segments, int[] devices)
    {
        int most = Math.Min(devices.Length, model.Problem.Constraints.MaximumDevices ?? int.MaxValue);
        double high = 0;
        foreach (int device in devices)
            high = Math.Max(high, segments.Load(0, segments.Boundaries.Length - 1, device));
        double low = 0;
        int[]? best = null;
        for (int round = 0; round < Rounds; round++)
        {
            double middle = round == 0 ? high : (low + high) / 2;
            int[]? found = Fill(model, segments, devices, most, middle);
            if (found is null && round == 0)
                return null;
            if (found is null)
            {
                low = middle;
                continue;
            }
            best = found;
            high = middle;
        }
        return best;
    }

    private static int[]? Fill(PlacementModel model, ContiguousSegments segments, int[] devices, int most, double load)
    {
        var assignment = new int[model.LayerCount];
        var isUsed = new bool[model.DeviceCount];
        int last = segments.Boundaries.Length - 1;
        int used = 0;
        for (int from = 0; from < last; used++)
        {
            if (used == most)
                return null;
            int chosen = -1;
            int furthest = from;
            double slowest = 0;
            foreach (int device in devices)
            {
                if (isUsed[device])
                    continue;
                int reached = Reach(segments, from, device, load);
                double seconds = reached > from ? segments.Compute(from, reached, device) : 0;
                if (reached > furthest || (reached == furthest && chosen >= 0 && seconds > slowest))
                    (chosen, furthest, slowest) = (device, reached, seconds);
            }
            if (chosen < 0)
                return null;
            segments.Assign(assignment, from, furthest, chosen);
            isUsed[chosen] = true;
            from = furthest;
        }
        return assignment;
    }

    private static int Reach(ContiguousSegments segments, int from, int device, double load)
    {
        int reached = from;
        for (int to = from + 1; to < segments.Boundaries.Length && segments.IsAllowed(from, to, device) && segments.ComputeLoad(from, to, device) <= load; to++)
        {
            if (segments.Load(from, to, device) <= load)
                reached = to;
        }
        return reached;
    }
}

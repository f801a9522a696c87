namespace EdgeSplit.Partitioning.Internal;

/// <summary>Finds the contiguous split over devices in a given order.</summary>
internal static class LayerwiseSplit
{
    private const int MostBoundaries = 1000;

    /// <summary>The split over as many devices as there are parts for and constraints allow, in the fleet's order.</summary>
    public static int[] Of(SearchState state)
    {
        PlacementModel model = state.Model;
        var segments = new ContiguousSegments(model, state.Units, new TopologicalOrders(model, state.Units).Given(), MostBoundaries);
        int[] usable = [.. Enumerable.Range(0, model.DeviceCount).Where(device => Enumerable.Range(0, state.Units.Count).Any(unit => state.Units.IsAllowed(unit, device)))];
        int parts = Math.Min(Math.Min(usable.Length, segments.Boundaries.Length - 1), model.Problem.Constraints.MaximumDevices ?? int.MaxValue);
        int[] devices = parts == usable.Length ? usable : [.. usable
            .OrderBy(device => state.Units.Choices.All(choices => choices.Length > 1 || choices[0] != device))
            .ThenBy(device => Enumerable.Range(0, state.Units.Count).Where(unit => state.Units.IsAllowed(unit, device)).Sum(unit => state.Units.SecondsOf(unit, device)))
            .Take(parts).Order()];
        return Over(segments, model, devices, respectConstraints: true) ?? Over(segments, model, devices, respectConstraints: false)!;
    }

    private static int[]? Over(ContiguousSegments segments, PlacementModel model, int[] devices, bool respectConstraints)
    {
        int rows = segments.Boundaries.Length;
        int parts = devices.Length;
        var best = new Split[parts + 1, rows];
        for (int part = 0; part <= parts; part++)
        {
            for (int row = 0; row < rows; row++)
                best[part, row] = Split.Impossible;
        }
        best[0, 0] = default;
        for (int part = 0; part < parts; part++)
        {
            int device = devices[part];
            for (int to = part + 1; to < rows - (parts - part - 1); to++)
            {
                for (int from = part; from < to; from++)
                {
                    Split before = best[part, from];
                    if (double.IsInfinity(before.Busiest) || (respectConstraints && !segments.IsAllowed(from, to, device)))
                        continue;
                    double seconds = segments.Compute(from, to, device) + segments.Received(from, to) + segments.Sent(from, to);
                    var candidate = new Split(Math.Max(before.Busiest, seconds), before.Cuts + segments.CutAt[to], from);
                    if (candidate.IsBetterThan(best[part + 1, to]))
                        best[part + 1, to] = candidate;
                }
            }
        }
        if (double.IsInfinity(best[parts, rows - 1].Busiest))
            return null;
        var assignment = new int[model.LayerCount];
        for (int part = parts, to = rows - 1; part > 0; part--)
        {
            int from = best[part, to].From;
            segments.Assign(assignment, from, to, devices[part - 1]);
            to = from;
        }
        return assignment;
    }

    /// <param name="Busiest">Seconds of the busiest part.</param>
    /// <param name="Cuts">Seconds to send what crosses the cuts.</param>
    /// <param name="From">Where the last part begins.</param>
    private readonly record struct Split(double Busiest, double Cuts, int From)
    {
        public static Split Impossible { get; } = new(double.PositiveInfinity, double.PositiveInfinity, -1);

        public bool IsBetterThan(in Split other) => Busiest < other.Busiest || (Busiest == other.Busiest && Cuts < other.Cuts);
    }
}

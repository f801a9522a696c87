using System.Globalization;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>The values that the reference's solvers reach, where the workloads come with them.</summary>
internal sealed class ReferenceResults
{
    private readonly List<(string Metric, string Input, double? Value, double? Seconds)> _rows = [];

    public static ReferenceResults Read(string folder)
    {
        var results = new ReferenceResults();
        foreach (string path in Directory.EnumerateFiles(folder, "REFERENCE_RESULTS.tsv", SearchOption.AllDirectories))
        {
            foreach (string[] row in File.ReadLines(path).Skip(1).Select(static line => line.Split('\t')).Where(static row => row.Length >= 3))
                results._rows.Add((row[0], row[1], Parse(row[2]), row.Length > 3 ? Parse(row[3]) : null));
        }
        return results;
    }

    /// <summary>The lowest value of the metrics that begin with a prefix, and the seconds that it took where stated.</summary>
    public (double? Value, double? Seconds) Lowest(string metricPrefix, string inputPath)
    {
        string input = inputPath.Replace('\\', '/');
        (string, string, double? Value, double? Seconds) best = _rows
            .Where(row => row.Metric.StartsWith(metricPrefix, StringComparison.Ordinal) && input.EndsWith(row.Input, StringComparison.Ordinal))
            .OrderBy(static row => row.Value ?? double.PositiveInfinity).FirstOrDefault();
        return (best.Value, best.Seconds);
    }

    private static double? Parse(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;
}

using System.Globalization;

namespace EdgeSplit.Tool.Output;

/// <summary>Figures as people read them.</summary>
internal static class Units
{
    public static string Bytes(double count) => Scale(count, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);

    public static string Operations(double count) => Scale(count, 1000, ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"]);

    public static string OperationsPerSecond(double rate) => Scale(rate, 1000, ["FLOP/s", "kFLOP/s", "MFLOP/s", "GFLOP/s", "TFLOP/s"]);

    public static string Count(double count) => Scale(count, 1000, ["", "k", "M", "G"]).TrimEnd();

    public static string Milliseconds(TimeSpan time) => Milliseconds(time.TotalSeconds);

    public static string Milliseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.00} ms");

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#}%");

    private static string Scale(double value, double step, ReadOnlySpan<string> units)
    {
        int unit = 0;
        while (Math.Abs(value) >= step && unit < units.Length - 1)
        {
            value /= step;
            unit++;
        }
        string format = unit == 0 ? "0" : value < 10 ? "0.00" : value < 100 ? "0.0" : "0";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {units[unit]}";
    }
}

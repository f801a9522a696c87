using System.Globalization;

namespace EdgeSplit.Testbed.Internal;

/// <summary>What the kernel counts of a network interface.</summary>
internal static class InterfaceCounter
{
    public static long Read(string device, string counter) =>
        long.Parse(File.ReadAllText($"/sys/class/net/{device}/statistics/{counter}"), CultureInfo.InvariantCulture);
}

using System.Globalization;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>The caches of the processor.</summary>
internal static class ProcessorCaches
{
    private const string Folder = "/sys/devices/system/cpu/cpu0/cache";
    private const long Assumed = 32 << 20;

    /// <summary>The bytes of the largest cache; 32 MiB where the system does not tell.</summary>
    public static long LargestBytes
    {
        get
        {
            try
            {
                long largest = Directory.EnumerateDirectories(Folder, "index*").Max(static cache => Parse(File.ReadAllText(Path.Combine(cache, "size"))));
                return largest > 0 ? largest : Assumed;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                return Assumed;
            }
        }
    }

    /// <summary>Reads a size such as <c>32768K</c>; 0 where it is none.</summary>
    internal static long Parse(string text)
    {
        text = text.Trim();
        int shift = text.EndsWith('K') ? 10 : text.EndsWith('M') ? 20 : 0;
        return long.TryParse(shift > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value << shift : 0;
    }
}

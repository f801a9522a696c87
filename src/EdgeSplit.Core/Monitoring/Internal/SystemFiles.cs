using System.Globalization;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>Reads the small text files of <c>/proc</c> and <c>/sys</c>; what is not there or not readable is null or empty.</summary>
/// <param name="root">The folder that stands for <c>/</c>.</param>
internal sealed class SystemFiles(string root)
{
    public string? Text(string path)
    {
        try
        {
            return File.ReadAllText(PathOf(path)).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public string[] Lines(string path) => Text(path)?.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];

    public double? Number(string path) => ParseNumber(Text(path));

    /// <summary>The number after a name at the start of a line, such as <c>MemAvailable:    123 kB</c>.</summary>
    public double? NumberAfter(string path, string name)
    {
        foreach (string line in Lines(path))
        {
            string[] words = Words(line);
            if (words.Length > 1 && words[0] == name)
                return ParseNumber(words[1]);
        }
        return null;
    }

    /// <summary>The paths of what is in a folder and whose names begin in some way, as given to the other methods.</summary>
    public IEnumerable<string> Entries(string folder, string prefix)
    {
        try
        {
            return [.. Directory.GetFileSystemEntries(PathOf(folder), prefix + "*").Select(path => $"{folder}/{Path.GetFileName(path)}").Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public bool Exists(string path) => Path.Exists(PathOf(path));

    public static string[] Words(string line) => line.Split([' ', '\t', ':'], StringSplitOptions.RemoveEmptyEntries);

    public static double? ParseNumber(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;

    private string PathOf(string path) => Path.Combine(root, path.TrimStart('/'));
}

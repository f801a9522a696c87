using System.Buffers;

namespace EdgeSplit.Repositories.Internal;

/// <summary>Where things are in a repository's folder. Names and paths from outside are checked before they become paths here.</summary>
internal sealed class RepositoryLayout(string root)
{
    public const string SkeletonSuffix = ".skeleton";
    public const string ManifestSuffix = ".json";
    private const int LongestName = 128;
    private static readonly SearchValues<char> Allowed = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.");

    public string Root => root;

    public string Blobs { get; } = Path.Combine(root, "blobs");

    public string Models { get; } = Path.Combine(root, "models");

    public string LockFile { get; } = Path.Combine(root, "lock");

    public string Model(string name) => Path.Combine(Models, CheckedName(name));

    public string ModelManifest(string name) => Path.Combine(Model(name), "model.json");

    public string DeploymentManifest(string name) => Path.Combine(Model(name), "deployment.json");

    public string Version(string name, string version) => Path.Combine(Model(name), version);

    public string Files(string name, string version) => Path.Combine(Version(name, version), "files");

    public string Partitions(string name, string version) => Path.Combine(Version(name, version), "partitions");

    public string Partition(string name, string version, string partitionId) => Path.Combine(Partitions(name, version), CheckedName(partitionId));

    /// <summary>The full path of a file that a model refers to, which must lie in the model's folder.</summary>
    public static string Inside(string folder, string relativePath)
    {
        string full = Path.GetFullPath(Path.Combine(folder, relativePath));
        string prefix = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;
        if (relativePath.Length == 0 || Path.IsPathRooted(relativePath) || !full.StartsWith(prefix, StringComparison.Ordinal))
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{relativePath}' does not lie in the model's folder; models may refer only to files beside or below them.");
        return full;
    }

    public static string CheckedName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!IsName(name))
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidArgument,
                $"'{name}' is no name for a repository; use 1 to {LongestName} letters, digits, '-', '_' and '.', without a dot at either end.");
        }
        return name;
    }

    // A leading dot would allow "." and ".."; a trailing one is dropped by Windows.
    public static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && !name.AsSpan().ContainsAnyExcept(Allowed) && name[0] != '.' && name[^1] != '.';
}

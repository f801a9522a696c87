using EdgeSplit.Tests;

namespace EdgeSplit.ModelZoo.Tests;

internal static class FolderContents
{
    /// <summary>The names of the files and folders in the folder itself, sorted.</summary>
    public static string[] FileNames(this TemporaryFolder folder) =>
        [.. Directory.EnumerateFileSystemEntries(folder.Path).Select(static path => Path.GetFileName(path)).Order()];
}

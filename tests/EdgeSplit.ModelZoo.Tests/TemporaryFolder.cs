namespace EdgeSplit.ModelZoo.Tests;

/// <summary>A folder of its own for a test, deleted with all in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("edgesplit-zoo-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string[] FileNames => [.. Directory.EnumerateFileSystemEntries(Path).Select(static path => System.IO.Path.GetFileName(path)).Order()];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

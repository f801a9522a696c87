namespace EdgeSplit.Tests;

/// <summary>A folder of a test's own, deleted with all it holds when the test is done with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("edgesplit-test-").FullName;

    public string Path { get; }

    /// <summary>The path of a file in the folder.</summary>
    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

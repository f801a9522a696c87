namespace EdgeSplit.Onnx.Tests.Runtime;

/// <summary>A folder that is deleted at the end of a test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("edgesplit-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Agents.Internal;

/// <summary>A folder of weights that goes with the agent, and with what an agent that was killed has left.</summary>
internal sealed class TemporaryBlobFolder : IDisposable
{
    private readonly LockedFolder _folder;

    /// <param name="parent">The folder that it is in; the system's for temporary files where null.</param>
    public TemporaryBlobFolder(string? parent = null)
    {
        _folder = new LockedFolder(parent ?? Path.GetTempPath(), "edgesplit-agent-");
        Store = new FolderBlobStore(Path.Combine(_folder.Path, "blobs"), isDurable: false);
    }

    public FolderBlobStore Store { get; }

    public void Dispose() => _folder.Dispose();
}

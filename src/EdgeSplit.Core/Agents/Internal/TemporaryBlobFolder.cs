using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Agents.Internal;

/// <summary>
/// A folder of weights that goes with the agent. A file in it is locked for as long; so a folder whose file can be locked is
/// that of an agent whose process was killed, and is deleted by the next.
/// </summary>
internal sealed class TemporaryBlobFolder : IDisposable
{
    private const string Prefix = "edgesplit-agent-";
    private const string LockName = "lock";
    private readonly string _path;
    private readonly FileStream _lock;

    /// <param name="parent">The folder that it is in; the system's for temporary files where null.</param>
    public TemporaryBlobFolder(string? parent = null)
    {
        parent ??= Path.GetTempPath();
        DeleteLeftovers(parent);
        (_path, _lock) = Create(parent);
        Store = new FolderBlobStore(Path.Combine(_path, "blobs"), isDurable: false);
    }

    public FolderBlobStore Store { get; }

    public void Dispose()
    {
        Directory.Delete(Store.Folder, recursive: true);
        _lock.Dispose();
        try
        {
            Directory.Delete(_path, recursive: true);
        }
        catch (IOException)
        {
            // From the moment that it is not locked, others may take it for a leftover, and delete it too.
        }
    }

    private static (string Path, FileStream Lock) Create(string parent)
    {
        while (true)
        {
            string path = Path.Combine(parent, Prefix + Path.GetRandomFileName());
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(path)
                : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            try
            {
                return (path, new FileStream(Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.Write, FileShare.None));
            }
            catch (IOException exception) when (AtomicFile.IsHeldByAnother(exception))
            {
                // Between its creation and our lock, another took it for a leftover.
            }
        }
    }

    private static void DeleteLeftovers(string parent)
    {
        foreach (string folder in Directory.GetDirectories(parent, Prefix + "*"))
        {
            try
            {
                // A folder without the file is one that is being made, or is no agent's.
                using (new FileStream(Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                    Directory.Delete(folder, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Its agent lives, another process deletes it, or it is another user's.
            }
        }
    }
}

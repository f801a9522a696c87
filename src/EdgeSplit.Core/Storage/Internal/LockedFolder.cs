namespace EdgeSplit.Storage.Internal;

/// <summary>
/// A folder of a process, deleted when it is disposed of. A file in it is locked for as long; so a folder whose file can be locked is
/// that of a process that was killed, and is deleted by the next.
/// </summary>
internal sealed class LockedFolder : IDisposable
{
    private const string LockName = "lock";
    private readonly FileStream _lock;
    private int _disposed;

    /// <param name="parent">The folder that it is in.</param>
    /// <param name="prefix">What its name begins with. Folders of that name in <paramref name="parent"/> whose processes are gone are deleted.</param>
    public LockedFolder(string parent, string prefix)
    {
        DeleteLeftovers(parent, prefix);
        (Path, _lock) = Create(parent, prefix);
    }

    public string Path { get; }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        try
        {
            foreach (string folder in Directory.GetDirectories(Path))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Something in it is still open, which only Windows minds. The next process deletes it.
        }
        _lock.Dispose();
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // From the moment that it is not locked, others may take it for a leftover, and delete it too.
        }
    }

    private static (string Path, FileStream Lock) Create(string parent, string prefix)
    {
        while (true)
        {
            string path = System.IO.Path.Combine(parent, prefix + System.IO.Path.GetRandomFileName());
            _ = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(path)
                : Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            try
            {
                return (path, new FileStream(System.IO.Path.Combine(path, LockName), FileMode.CreateNew, FileAccess.Write, FileShare.None));
            }
            catch (IOException exception) when (AtomicFile.IsHeldByAnother(exception))
            {
                // Between its creation and our lock, another took it for a leftover.
            }
        }
    }

    private static void DeleteLeftovers(string parent, string prefix)
    {
        foreach (string folder in Directory.GetDirectories(parent, prefix + "*"))
        {
            try
            {
                // A folder without the file is one that is being made, or is none of ours.
                using (new FileStream(System.IO.Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
                    Directory.Delete(folder, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Its process lives, another deletes it, or it is another user's.
            }
        }
    }
}

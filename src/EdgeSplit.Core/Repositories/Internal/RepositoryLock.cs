using EdgeSplit.Storage.Internal;

namespace EdgeSplit.Repositories.Internal;

/// <summary>Lets one writer at a time change a repository, of all threads and processes. The system frees the lock of a process that dies.</summary>
internal sealed class RepositoryLock(string path)
{
    // Another process cannot tell when it is done, so its lock is asked for again and again.
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(10);
    private readonly SemaphoreSlim _threads = new(1);

    public async ValueTask<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _threads.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                if (TryOpen() is { } file)
                    return new Holder(this, file);
                await Task.Delay(PollInterval, cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            _threads.Release();
            throw;
        }
    }

    private FileStream? TryOpen()
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception) when (AtomicFile.IsHeldByAnother(exception))
        {
            return null;
        }
    }

    private sealed class Holder(RepositoryLock owner, FileStream file) : IDisposable
    {
        public void Dispose()
        {
            file.Dispose();
            owner._threads.Release();
        }
    }
}

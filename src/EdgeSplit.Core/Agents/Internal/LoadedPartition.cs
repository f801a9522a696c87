namespace EdgeSplit.Agents.Internal;

/// <summary>A partition with its executor, which is disposed of when its owner and every execution have let it go.</summary>
internal sealed class LoadedPartition(IPartitionExecutor executor)
{
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _users = 1;

    public IPartitionExecutor Executor => executor;

    /// <summary>How often the partition was loaded less how often unloaded; guarded by the table's lock.</summary>
    public int Loads { get; set; } = 1;

    /// <summary>Ends when the executor is disposed of.</summary>
    public Task Disposed => _disposed.Task;

    /// <summary>Counts one more user; only while the partition is in the table, so that its owner still holds it.</summary>
    public void AddUser() => Interlocked.Increment(ref _users);

    public void Release()
    {
        if (Interlocked.Decrement(ref _users) != 0)
            return;
        try
        {
            executor.Dispose();
            _disposed.SetResult();
        }
        catch (Exception exception)
        {
            _disposed.SetException(exception);
        }
    }
}

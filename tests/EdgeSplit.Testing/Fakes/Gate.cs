using EdgeSplit.Models;

namespace EdgeSplit.Testing.Fakes;

/// <summary>Holds executions until it is opened or they are cancelled: see <see cref="FakePartitionRuntime.Executing"/>.</summary>
public sealed class Gate : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _open = new();

    /// <summary>Ends when the first execution is held.</summary>
    public Task Reached => _reached.Task;

    /// <summary>The hook.</summary>
    public void Pass(ModelPartition partition, CancellationToken cancellationToken)
    {
        _reached.TrySetResult();
        _open.Wait(cancellationToken);
    }

    /// <summary>Lets all executions pass.</summary>
    public void Open() => _open.Set();

    /// <summary>Lets all executions pass, also where a test has failed.</summary>
    public void Dispose()
    {
        _open.Set();
        _open.Dispose();
    }
}

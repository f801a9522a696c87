using System.Runtime.InteropServices;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Runs long work on a thread of its own that gives way to others: what is built for later must not slow down what runs now.
/// </summary>
internal static partial class YieldingThread
{
    // A third of what an ordinary thread gets where both want the same processor, and all of it where nobody else does. With less, what is to
    // take over from an agent that is lost would not be ready for seconds where agents are busy.
    private const int Niceness = 5;
    private const int Process = 0;
    private const uint CallingThread = 0;

    /// <summary>Runs work to its end.</summary>
    public static Task<T> RunAsync<T>(Func<T> work)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        // The priority goes with the thread: an ordinary user may not raise it again, so none of the pool's is used.
        var thread = new Thread(() =>
        {
            try
            {
                Yield();
                completion.SetResult(work());
            }
            catch (Exception exception)
            {
                if (exception is OperationCanceledException cancelled)
                    completion.SetCanceled(cancelled.CancellationToken);
                else
                    completion.SetException(exception);
            }
        })
        {
            IsBackground = true,
            Name = "edgesplit load",
            Priority = ThreadPriority.BelowNormal,
        };
        thread.Start();
        return completion.Task;
    }

    private static void Yield()
    {
        // .NET sets no priorities on Linux, where each thread has its own niceness. That it cannot be set harms nothing.
        if (OperatingSystem.IsLinux())
            _ = SetPriority(Process, CallingThread, Niceness);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int niceness);
}

using System.Diagnostics;

namespace EdgeSplit.Simulation.Internal;

/// <summary>
/// Waits until the process's thread pool has nothing to do: then everything that an event has set off has happened, and the
/// virtual clock may go on.
/// </summary>
/// <remarks>
/// <para>The code that is simulated is the code that serves: it awaits without a context and hands work to the thread pool, where
/// no scheduler of ours could catch it. Continuations of virtual timers run inside the timer's call, on the thread that advances
/// the clock; only what hops to the pool (a semaphore that is released, <c>Task.Run</c>) has to be waited for.</para>
/// <para>The pool counts an item as pending until a worker takes it, and counts the worker as busy from before that until after the
/// item has ended. So seeing no pending item, then no busy worker, then no pending item again means that there was none.</para>
/// <para>Workers that something else in the process keeps busy for good (a test platform's reading loop) are taken as the
/// pool's floor: the least that was ever seen busy.</para>
/// </remarks>
internal sealed class ThreadPoolIdle
{
    private static readonly TimeSpan SpinTime = TimeSpan.FromMicroseconds(50);
    private static readonly TimeSpan YieldTime = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan FloorTime = TimeSpan.FromMilliseconds(100);
    private int _floor = int.MaxValue;

    /// <summary>Learns how many workers others keep busy; called before the simulation has set off anything.</summary>
    public void FindFloor()
    {
        long started = Stopwatch.GetTimestamp();
        do
        {
            _floor = Math.Min(_floor, BusyWorkers());
            Thread.Sleep(1);
        }
        while (_floor > 0 && Stopwatch.GetElapsedTime(started) < FloorTime);
    }

    public void Wait()
    {
        if (IsIdle())
            return;
        long started = Stopwatch.GetTimestamp();
        var spinner = new SpinWait();
        while (!IsIdle())
        {
            if (Stopwatch.GetElapsedTime(started) < SpinTime)
                spinner.SpinOnce(sleep1Threshold: -1);
            else if (Stopwatch.GetElapsedTime(started) < YieldTime)
                Thread.Yield();
            else
                Thread.Sleep(1); // A plan is being made.
        }
    }

    private bool IsIdle()
    {
        if (ThreadPool.PendingWorkItemCount != 0)
            return false;
        int busy = BusyWorkers();
        if (busy > _floor)
            return false;
        _floor = busy;
        return ThreadPool.PendingWorkItemCount == 0;
    }

    private static int BusyWorkers()
    {
        ThreadPool.GetMaxThreads(out int most, out _);
        ThreadPool.GetAvailableThreads(out int available, out _);
        return most - available;
    }
}

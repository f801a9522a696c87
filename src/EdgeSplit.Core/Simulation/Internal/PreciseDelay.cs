namespace EdgeSplit.Simulation.Internal;

/// <summary>Waits for exact times; <see cref="Task.Delay(TimeSpan, TimeProvider, CancellationToken)"/> knows whole milliseconds only.</summary>
internal static class PreciseDelay
{
    public static async Task WaitAsync(TimeProvider time, TimeSpan delay, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (delay <= TimeSpan.Zero)
            return;
        var over = new TaskCompletionSource();
        using ITimer timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), over, delay, Timeout.InfiniteTimeSpan);
        using (cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), over))
            await over.Task.ConfigureAwait(false);
    }
}

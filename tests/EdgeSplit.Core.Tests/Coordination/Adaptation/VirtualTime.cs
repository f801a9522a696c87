using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

/// <summary>Lets virtual time pass while a coordinator looks at its agents.</summary>
internal static class VirtualTime
{
    /// <summary>Lets the coordinator look at its agents a few times.</summary>
    public static async Task PassAsync(this FakeTimeProvider time)
    {
        for (int i = 0; i < 32; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(125));
            await Task.Yield();
        }
    }

    /// <summary>Lets time pass step by step until something holds.</summary>
    /// <exception cref="OperationCanceledException">It does not hold within <see cref="Cluster.Limit"/> of real time.</exception>
    public static async Task PassUntilAsync(this FakeTimeProvider time, Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Cluster.Limit);
        while (!holds())
        {
            limit.Token.ThrowIfCancellationRequested();
            time.Advance(TimeSpan.FromMilliseconds(25));
            await Task.Yield();
        }
    }
}

using System.Runtime.CompilerServices;

namespace EdgeSplit.Agents.Internal;

/// <summary>Connects to an agent, and again whenever it was lost, with waits that grow while that fails; the same for every transport.</summary>
/// <param name="backoff">How long to wait.</param>
/// <param name="time">Tells the time.</param>
/// <param name="retrying">Told of each wait, with why the agent is not connected.</param>
internal sealed class Reconnection(Backoff backoff, TimeProvider time, Action<string, TimeSpan> retrying)
{
    /// <summary>Gives each connected object, which is then the caller's; the next follows when that one is lost.</summary>
    /// <param name="connect">Connects once.</param>
    /// <param name="untilLost">Completes when an agent is lost, with the reason.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="EdgeSplitException">The first connection fails in a way that waiting does not mend.</exception>
    public async IAsyncEnumerable<TAgent> KeepAsync<TAgent>(
        Func<CancellationToken, ValueTask<TAgent>> connect, Func<TAgent, Task<string>> untilLost, [EnumeratorCancellation] CancellationToken cancellationToken)
        where TAgent : class, IEdgeAgent
    {
        bool wasConnected = false;
        while (true)
        {
            TAgent? agent = null;
            string reason = "";
            try
            {
                agent = await connect(cancellationToken).ConfigureAwait(false);
            }
            catch (EdgeSplitException exception) when (wasConnected || exception.IsTransient)
            {
                reason = exception.Message;
            }
            if (agent is not null)
            {
                wasConnected = true;
                long connected = time.GetTimestamp();
                yield return agent;
                reason = await untilLost(agent).WaitAsync(cancellationToken).ConfigureAwait(false);
                backoff.Connected(time.GetElapsedTime(connected));
            }
            TimeSpan delay = backoff.Next();
            retrying(reason, delay);
            await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
        }
    }
}

using Grpc.Core;

namespace EdgeSplit.Grpc.Agents;

/// <summary>What both sides of a session do.</summary>
internal static class Sessions
{
    /// <summary>Reads the other side's signs of life until it ends the session, or gives none for too long.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: no sign of life.</exception>
    public static async Task ListenAsync<T>(IAsyncStreamReader<T> reader, GrpcOptions options, Action<T> take, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var silence = new CancellationTokenSource(options.IdleTimeout, options.TimeProvider);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
            bool isThere;
            try
            {
                isThere = await reader.MoveNext(either.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (silence.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"Nothing was heard for {options.IdleTimeout}.", exception);
            }
            if (!isThere)
                return;
            take(reader.Current);
        }
    }
}

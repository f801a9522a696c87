namespace EdgeSplit.Transport.Connections;

/// <summary>Answers the peer's requests.</summary>
internal interface IRequestHandler
{
    /// <summary>Answers one request, which stays the connection's; called on the thread pool, for several requests at a time, and free to block.</summary>
    /// <exception cref="EdgeSplitException">Goes to the peer with its code and message.</exception>
    ValueTask<Reply> AnswerAsync(IncomingMessage request, CancellationToken cancellationToken);
}

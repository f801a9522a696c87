using System.Collections.Concurrent;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Blobs;

/// <summary>Answers what an agent may ask of the side that uses it: the blobs of loads under way.</summary>
/// <param name="loans">The loads under way by number.</param>
internal sealed class BlobAnswers(ConcurrentDictionary<int, BlobLoan> loans) : IRequestHandler
{
    /// <inheritdoc/>
    public ValueTask<Reply> AnswerAsync(IncomingMessage request, CancellationToken cancellationToken)
    {
        if (request.Head.Payload is not ReadBlobCall call)
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"Only an agent answers {request.Head.Payload.Operation}.");
        return loans.TryGetValue(call.LoadId, out BlobLoan? loan)
            ? loan.ReadAsync(call, cancellationToken)
            : throw new EdgeSplitException(EdgeSplitError.NotFound, $"No load with the number {call.LoadId} is under way.");
    }
}

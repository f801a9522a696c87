using EdgeSplit.Coordination.Internal;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>Requests of one shape that wait to be joined; guarded by the batcher's lock.</summary>
internal sealed class BatchGroup(BatchShape shape, int maxBatch)
{
    public BatchShape Shape => shape;

    public FairQueue<BatchedRequest> Waiting { get; } = new();

    /// <summary>Rows that wait.</summary>
    public int Rows { get; set; }

    /// <summary>Runs that have been asked for and have not begun.</summary>
    public int PendingRuns { get; set; }

    /// <summary>Calls for a run when the first of those that no run was asked for yet has waited long enough; null while there is none.</summary>
    public ITimer? Timer { get; set; }

    /// <summary>Rows that will be left when all runs that were asked for have begun.</summary>
    public int RowsLeft => Rows - (PendingRuns * maxBatch);

    /// <summary>Takes what one run joins, one request of each client after the other.</summary>
    public List<BatchedRequest> Take()
    {
        var taken = new List<BatchedRequest>();
        int rows = 0;
        while (Waiting.TryPeek(out BatchedRequest? next) && rows + next.Rows <= maxBatch)
        {
            Waiting.TryTake(out next);
            rows += next!.Rows;
            taken.Add(next);
        }
        Rows -= rows;
        return taken;
    }
}

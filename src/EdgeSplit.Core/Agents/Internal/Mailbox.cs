using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>
/// Brings together runs and the inputs that other agents send for them, whichever comes first. What comes for a run that has
/// ended, or never begins, is kept for a while and then disposed of.
/// </summary>
internal sealed class Mailbox(string agentId, long maxBytes, TimeProvider time)
{
    // Longer than a request is on its way to one agent while it computes on another.
    private static readonly TimeSpan UnclaimedFor = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid RequestId, string PartitionId), Mail> _mails = [];
    private readonly Queue<Mail> _unclaimed = [];
    private long _bytes;
    private bool _closed;

    /// <summary>Takes tensors over, or throws.</summary>
    public void Add(ActivationDelivery delivery)
    {
        List<Tensor> expired = [];
        Mail? complete = null;
        try
        {
            lock (_lock)
            {
                ThrowIfClosed();
                RemoveExpired(expired);
                long bytes = delivery.Tensors.Values.Sum(static tensor => tensor.ByteCount);
                if (_bytes + bytes > maxBytes)
                {
                    throw new EdgeSplitException(
                        EdgeSplitError.ResourceExhausted,
                        $"Agent '{agentId}' holds {_bytes} bytes from other agents and takes at most {maxBytes}. Raise {nameof(EdgeAgentOptions.MaxDeliveredBytes)}, or let fewer requests in.");
                }
                (Guid, string) key = (delivery.RequestId, delivery.PartitionId);
                if (!_mails.TryGetValue(key, out Mail? mail))
                {
                    _mails.Add(key, mail = new Mail(key, time.GetTimestamp()));
                    _unclaimed.Enqueue(mail);
                }
                if (delivery.Tensors.Keys.Any(mail.Tensors.ContainsKey))
                    throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Agent '{agentId}' was sent an input of partition '{delivery.PartitionId}' twice for one request.");
                foreach ((string name, Tensor tensor) in delivery.Tensors)
                    mail.Tensors.Add(name, tensor);
                _bytes += bytes;
                if (mail.Awaited is { } awaited && awaited.All(mail.Tensors.ContainsKey))
                    complete = mail;
            }
        }
        finally
        {
            expired.ForEach(static tensor => tensor.Dispose());
        }
        complete?.Complete.TrySetResult();
    }

    /// <summary>Waits for the inputs of a run.</summary>
    /// <returns>The inputs, which are the caller's.</returns>
    public async ValueTask<Dictionary<string, Tensor>> TakeAsync(Guid requestId, string partitionId, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        (Guid, string) key = (requestId, partitionId);
        Mail? mail;
        lock (_lock)
        {
            ThrowIfClosed();
            if (!_mails.TryGetValue(key, out mail))
                _mails.Add(key, mail = new Mail(key, time.GetTimestamp()));
            if (mail.Awaited is not null)
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Partition '{partitionId}' was asked to run twice for one request on agent '{agentId}'.");
            mail.Awaited = names;
            if (names.All(mail.Tensors.ContainsKey))
                mail.Complete.TrySetResult();
        }
        bool isTaken = false;
        try
        {
            await mail.Complete.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            isTaken = true;
            return mail.Tensors;
        }
        finally
        {
            lock (_lock)
                Remove(mail);
            if (!isTaken)
                mail.Dispose();
        }
    }

    /// <summary>Fails the runs that wait, and disposes of what came.</summary>
    public void Close()
    {
        Mail[] left;
        lock (_lock)
        {
            _closed = true;
            left = [.. _mails.Values];
            _mails.Clear();
        }
        foreach (Mail mail in left)
        {
            // A run that waits disposes of what it has.
            if (mail.Awaited is not null)
                mail.Complete.TrySetException(ShutDown());
            else
                mail.Dispose();
        }
    }

    private void RemoveExpired(List<Tensor> expired)
    {
        while (_unclaimed.TryPeek(out Mail? oldest) && (oldest.Awaited is not null || oldest.IsRemoved || time.GetElapsedTime(oldest.Since) > UnclaimedFor))
        {
            _unclaimed.Dequeue();
            if (oldest.Awaited is not null || oldest.IsRemoved)
                continue;
            Remove(oldest);
            expired.AddRange(oldest.Tensors.Values);
        }
    }

    private void Remove(Mail mail)
    {
        if (mail.IsRemoved)
            return;
        mail.IsRemoved = true;
        _bytes -= mail.Tensors.Values.Sum(static tensor => tensor.ByteCount);
        if (_mails.GetValueOrDefault(mail.Key) == mail)
            _mails.Remove(mail.Key);
    }

    private void ThrowIfClosed()
    {
        if (_closed)
            throw ShutDown();
    }

    private EdgeSplitException ShutDown() => new(EdgeSplitError.AgentUnavailable, $"Agent '{agentId}' was shut down.");

    private sealed class Mail((Guid RequestId, string PartitionId) key, long since)
    {
        public (Guid RequestId, string PartitionId) Key => key;

        public long Since => since;

        public Dictionary<string, Tensor> Tensors { get; } = [];

        /// <summary>The inputs that the run waits for; null until it is asked for.</summary>
        public IReadOnlyList<string>? Awaited { get; set; }

        public TaskCompletionSource Complete { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsRemoved { get; set; }

        public void Dispose()
        {
            foreach (Tensor tensor in Tensors.Values)
                tensor.Dispose();
        }
    }
}

using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>
/// Brings together runs and the inputs that other agents send for them, whichever comes first. What comes for a run that was given up
/// is dropped; what comes for one that never begins is kept for a while and then disposed of.
/// </summary>
internal sealed class Mailbox
{
    // Longer than a request is on its way to one agent while it computes on another.
    private static readonly TimeSpan UnclaimedFor = TimeSpan.FromSeconds(30);

    // What a tensor takes beside its elements and its name, so that many small ones are bounded too.
    private const int TensorOverheadBytes = 256;

    private const int MostGivenUp = 4096;

    private readonly string _agentId;
    private readonly long _maxBytes;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly ITimer _expiry;
    private readonly Dictionary<(Guid RequestId, string PartitionId), Mail> _mails = [];
    private readonly Queue<Mail> _unclaimed = [];
    private readonly HashSet<(Guid RequestId, string PartitionId)> _givenUp = [];
    private readonly Queue<(Guid RequestId, string PartitionId)> _givenUpInOrder = [];
    private long _bytes;
    private bool _isExpiring;
    private bool _closed;

    /// <param name="agentId">The agent.</param>
    /// <param name="maxBytes">What may wait for runs, what it takes beside its elements included.</param>
    /// <param name="time">The clock.</param>
    public Mailbox(string agentId, long maxBytes, TimeProvider time)
    {
        (_agentId, _maxBytes, _time) = (agentId, maxBytes, time);
        _expiry = time.CreateTimer(static state => ((Mailbox)state!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Takes tensors over, or throws.</summary>
    public void Add(ActivationDelivery delivery)
    {
        Mail? complete = null;
        (Guid, string) key = (delivery.RequestId, delivery.PartitionId);
        lock (_lock)
        {
            ThrowIfClosed();
            if (!_givenUp.Contains(key))
            {
                complete = Keep(key, delivery);
                delivery = delivery with { Tensors = new Dictionary<string, Tensor>() };
            }
        }
        delivery.Tensors.DisposeTensors();
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
                _mails.Add(key, mail = new Mail(key, _time.GetTimestamp()));
            if (mail.Awaited is not null)
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Partition '{partitionId}' was asked to run twice for one request on agent '{_agentId}'.");
            mail.Awaited = names;
            foreach (string name in mail.Tensors.Keys.Where(name => !names.Contains(name)).ToArray())
            {
                _bytes -= BytesOf(name, mail.Tensors[name]);
                mail.Tensors[name].Dispose();
                mail.Tensors.Remove(name);
            }
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
            {
                Remove(mail);
                if (!isTaken)
                    NoteGivenUp(key);
            }
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
        _expiry.Dispose();
        foreach (Mail mail in left)
        {
            // A run that waits disposes of what it has.
            if (mail.Awaited is not null)
                mail.Complete.TrySetException(ShutDown());
            else
                mail.Dispose();
        }
    }

    /// <returns>The mail whose run has all that it waited for now; null where it has not.</returns>
    private Mail? Keep((Guid RequestId, string PartitionId) key, ActivationDelivery delivery)
    {
        Mail? mail = _mails.GetValueOrDefault(key);
        if (delivery.Tensors.Count == 0)
            throw Wrong(key, "nothing");
        foreach (string name in delivery.Tensors.Keys)
        {
            if (mail?.Awaited is { } expected && !expected.Contains(name))
                throw Wrong(key, $"'{name}', for which the run does not wait");
            if (mail?.Tensors.ContainsKey(name) ?? false)
                throw Wrong(key, $"the input '{name}' twice");
        }
        long bytes = delivery.Tensors.Sum(static pair => BytesOf(pair.Key, pair.Value));
        if (_bytes + bytes > _maxBytes)
        {
            throw new EdgeSplitException(
                EdgeSplitError.ResourceExhausted,
                $"Agent '{_agentId}' holds {_bytes} bytes from other agents and takes at most {_maxBytes}. Raise {nameof(EdgeAgentOptions.MaxDeliveredBytes)}, or let fewer requests in.");
        }
        if (mail is null)
        {
            _mails.Add(key, mail = new Mail(key, _time.GetTimestamp()));
            _unclaimed.Enqueue(mail);
            ScheduleExpiry();
        }
        foreach ((string name, Tensor tensor) in delivery.Tensors)
            mail.Tensors.Add(name, tensor);
        _bytes += bytes;
        return mail.Awaited is { } awaited && awaited.All(mail.Tensors.ContainsKey) ? mail : null;
    }

    private void Expire()
    {
        List<Mail> expired = [];
        lock (_lock)
        {
            _isExpiring = false;
            while (_unclaimed.TryPeek(out Mail? oldest) && (oldest.Awaited is not null || oldest.IsRemoved || _time.GetElapsedTime(oldest.Since) >= UnclaimedFor))
            {
                _unclaimed.Dequeue();
                if (oldest.Awaited is not null || oldest.IsRemoved)
                    continue;
                Remove(oldest);
                expired.Add(oldest);
            }
            ScheduleExpiry();
        }
        expired.ForEach(static mail => mail.Dispose());
    }

    private void ScheduleExpiry()
    {
        if (_isExpiring || _closed || !_unclaimed.TryPeek(out Mail? oldest))
            return;
        _isExpiring = true;
        TimeSpan left = UnclaimedFor - _time.GetElapsedTime(oldest.Since);
        // A timer may be early by its resolution.
        _expiry.Change(TimeSpan.FromMilliseconds(Math.Max(left.TotalMilliseconds, 0) + 1), Timeout.InfiniteTimeSpan);
    }

    private void NoteGivenUp((Guid RequestId, string PartitionId) key)
    {
        if (!_givenUp.Add(key))
            return;
        _givenUpInOrder.Enqueue(key);
        if (_givenUpInOrder.Count > MostGivenUp)
            _givenUp.Remove(_givenUpInOrder.Dequeue());
    }

    private void Remove(Mail mail)
    {
        if (mail.IsRemoved)
            return;
        mail.IsRemoved = true;
        _bytes -= mail.Tensors.Sum(static pair => BytesOf(pair.Key, pair.Value));
        if (_mails.GetValueOrDefault(mail.Key) == mail)
            _mails.Remove(mail.Key);
    }

    private static long BytesOf(string name, Tensor tensor) => TensorOverheadBytes + (2L * name.Length) + tensor.ByteCount;

    private EdgeSplitException Wrong((Guid RequestId, string PartitionId) key, string what) =>
        new(EdgeSplitError.InvalidInput, $"Agent '{_agentId}' was sent {what} for partition '{key.PartitionId}' of one request.");

    private void ThrowIfClosed()
    {
        if (_closed)
            throw ShutDown();
    }

    private EdgeSplitException ShutDown() => new(EdgeSplitError.AgentUnavailable, $"Agent '{_agentId}' was shut down.");

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
            Tensors.DisposeTensors();
        }
    }
}

using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Connections;

/// <summary>The requests of a connection that are not answered yet: ours, and the peer's.</summary>
internal sealed class RequestTable(PeerConnection connection, IRequestHandler handler, bool isConnector, PeerSettings settings)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<uint, PendingCall> _own = [];
    private readonly Dictionary<uint, InboundRequest> _peers = [];
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _nextStreamId = isConnector ? 1u : 2u;
    private EdgeSplitException? _closed;

    /// <summary>Enters a request of ours and gives it a stream number.</summary>
    /// <exception cref="EdgeSplitException">The connection has ended.</exception>
    public uint Add(PendingCall call)
    {
        lock (_gate)
        {
            if (_closed is not null)
                throw Lost(_closed);
            uint streamId;
            do
            {
                streamId = _nextStreamId;
                _nextStreamId += 2;
                // After two thousand million requests the numbers start again; 0 is no stream.
                if (_nextStreamId == 0)
                    _nextStreamId = 2;
            }
            while (!_own.TryAdd(streamId, call));
            return streamId;
        }
    }

    /// <summary>Whether a request of ours still waits.</summary>
    public bool IsWaiting(uint streamId, Operation operation)
    {
        lock (_gate)
        {
            if (!_own.TryGetValue(streamId, out PendingCall? call))
                return false;
            return call.Operation == operation
                ? true
                : throw ProtocolError.Violation($"it answered {call.Operation} with {operation}");
        }
    }

    /// <summary>Takes a request of ours out; false if it was answered already.</summary>
    public bool Remove(uint streamId)
    {
        lock (_gate)
            return _own.Remove(streamId);
    }

    /// <summary>Takes in an answer; the result, if any, wakes whoever waits for it.</summary>
    public IThreadPoolWorkItem? Complete(IncomingMessage response)
    {
        PendingCall? call = Take(response.StreamId);
        if (call?.TryAnswer(response) == true)
            return call;
        response.Dispose();
        return null;
    }

    public void Fail(uint streamId, FailureHead failure) => Take(streamId)?.Fail(failure.ToException());

    /// <summary>Whether the peer may use the stream for a request now.</summary>
    public void CheckNew(uint streamId)
    {
        bool isConnectors = (streamId & 1) == 1;
        if (isConnectors == isConnector)
            throw ProtocolError.Violation($"it asks on stream {streamId}, which is this side's to use");
        lock (_gate)
        {
            if (_peers.ContainsKey(streamId))
                throw ProtocolError.Violation($"it asks on stream {streamId}, which is in use");
        }
    }

    /// <summary>The number of the peer's requests that are being answered.</summary>
    public int PeersCount
    {
        get
        {
            lock (_gate)
                return _peers.Count;
        }
    }

    /// <summary>Takes in a request of the peer; the result answers it.</summary>
    public IThreadPoolWorkItem Begin(IncomingMessage message)
    {
        var request = new InboundRequest(connection, handler, message, settings.TimeProvider);
        lock (_gate)
            _peers.Add(message.StreamId, request);
        return request;
    }

    public void Cancel(uint streamId)
    {
        InboundRequest? request;
        lock (_gate)
        {
            if (_peers.TryGetValue(streamId, out request))
                request.Cancel();
        }
        request?.AbandonReplyIfCancelled();
    }

    public void End(InboundRequest request)
    {
        lock (_gate)
        {
            _peers.Remove(request.StreamId);
            request.Dispose();
            if (_peers.Count == 0 && _closed is not null)
                _drained.TrySetResult();
        }
    }

    /// <summary>Fails our requests, stops the peer's and waits for those to end.</summary>
    public async ValueTask CloseAsync(EdgeSplitException reason)
    {
        PendingCall[] own;
        lock (_gate)
        {
            _closed = reason;
            own = [.. _own.Values];
            _own.Clear();
            foreach (InboundRequest request in _peers.Values)
                request.Cancel();
            if (_peers.Count == 0)
                _drained.TrySetResult();
        }
        foreach (PendingCall call in own)
            call.Fail(Lost(reason));
        await _drained.Task.ConfigureAwait(false);
    }

    private PendingCall? Take(uint streamId)
    {
        lock (_gate)
            return _own.Remove(streamId, out PendingCall? call) ? call : null;
    }

    // A new exception for each caller: a thrown one collects stack traces. Whatever ended the connection, to the caller the
    // agent cannot be reached.
    private static EdgeSplitException Lost(EdgeSplitException reason) => new(EdgeSplitError.AgentUnavailable, reason.Message, reason);
}

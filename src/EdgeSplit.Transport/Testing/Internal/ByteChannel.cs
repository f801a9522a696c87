namespace EdgeSplit.Transport.Testing.Internal;

/// <summary>One direction of an in-memory connection: a bounded queue of bytes. The writer waits while it is full.</summary>
internal sealed class ByteChannel(int capacityBytes)
{
    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[capacityBytes];
    private TaskCompletionSource? _changed;
    private int _start;
    private int _count;
    private bool _isComplete;
    private bool _isAborted;

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            Task changed;
            lock (_gate)
            {
                if (_isAborted || _isComplete)
                    throw new IOException("The in-memory connection was closed.");
                int written = Put(bytes.Span);
                bytes = bytes[written..];
                if (written > 0)
                    SignalChange();
                changed = bytes.IsEmpty ? Task.CompletedTask : NextChange();
            }
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_isAborted)
                    throw new IOException("The in-memory connection was closed.");
                int read = Take(destination.Span);
                if (read > 0 || _isComplete)
                {
                    SignalChange();
                    return read;
                }
                changed = NextChange();
            }
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>No more bytes follow; what is there can still be read.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
            SignalChange();
        }
    }

    /// <summary>Both sides fail from now on.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            _isAborted = true;
            SignalChange();
        }
    }

    private int Put(ReadOnlySpan<byte> bytes)
    {
        int count = Math.Min(bytes.Length, _ring.Length - _count);
        int at = (_start + _count) % _ring.Length;
        int first = Math.Min(count, _ring.Length - at);
        bytes[..first].CopyTo(_ring.AsSpan(at));
        bytes[first..count].CopyTo(_ring);
        _count += count;
        return count;
    }

    private int Take(Span<byte> destination)
    {
        int count = Math.Min(destination.Length, _count);
        int first = Math.Min(count, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(destination);
        _ring.AsSpan(0, count - first).CopyTo(destination[first..]);
        _start = (_start + count) % _ring.Length;
        _count -= count;
        return count;
    }

    private void SignalChange()
    {
        _changed?.SetResult();
        _changed = null;
    }

    private Task NextChange()
    {
        _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _changed.Task;
    }
}

using System.Runtime.CompilerServices;

namespace EdgeSplit.Transport.Duplex.Internal;

/// <summary>
/// Sends a list of buffers through a channel that takes one at a time. Runs of small buffers are copied together, with the
/// first bytes of the large one that follows, so that a frame's head never travels alone; large buffers go from where they lie.
/// </summary>
/// <param name="send">Sends one buffer.</param>
/// <param name="end">Called after the last one of a list.</param>
internal sealed class JoinedSend(
    Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask> send, Func<CancellationToken, ValueTask>? end = null)
{
    /// <summary>Room for one TLS record; copying that much costs less than a system call.</summary>
    private const int JoinedBytes = 16 * 1024;

    private readonly byte[] _joined = GC.AllocateUninitializedArray<byte>(JoinedBytes);
    private int _used;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken)
    {
        _used = 0;
        for (int i = 0; i < buffers.Count; i++)
        {
            ReadOnlyMemory<byte> rest = buffers[i];
            if (_used > 0 || rest.Length <= JoinedBytes)
                rest = rest[Join(rest)..];
            if (rest.IsEmpty)
                continue;
            await FlushAsync(cancellationToken).ConfigureAwait(false);
            if (rest.Length <= JoinedBytes)
                Join(rest);
            else
                await send(rest, cancellationToken).ConfigureAwait(false);
        }
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        if (end is not null)
            await end(cancellationToken).ConfigureAwait(false);
    }

    private int Join(ReadOnlyMemory<byte> buffer)
    {
        int taken = Math.Min(buffer.Length, JoinedBytes - _used);
        buffer.Span[..taken].CopyTo(_joined.AsSpan(_used));
        _used += taken;
        return taken;
    }

    private ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        int length = _used;
        _used = 0;
        return length == 0 ? ValueTask.CompletedTask : send(_joined.AsMemory(0, length), cancellationToken);
    }
}

namespace EdgeSplit.Transport.Connections;

/// <summary>
/// Says how many bytes of tensors to hand to the connection at a time: what it takes in 0.3 ms, within bounds. Each hand-over
/// costs microseconds, so that this is fast enough, and what comes in between, such as a report, waits for one hand-over at most.
/// </summary>
/// <remarks>
/// The speed is measured where much is sent without a pause. What the system takes at once although the link does not, its buffers, is
/// left out, so that a slow link on which only little is sent at a time does not pass for a fast one. Within a machine, where much has gone
/// as fast as memory is copied and no proxy goes, pieces are larger still: there, waiting for a thread to wake is most of the time.
/// </remarks>
/// <param name="staysInMachine">Whether both ends are in one machine.</param>
internal sealed class SendPace(bool staysInMachine = false)
{
    private const int LeastChunkBytes = 64 * 1024;
    private const int FirstChunkBytes = 256 * 1024;
    private const int MostChunkBytes = 1024 * 1024;
    private const int LeastUnsentBytes = 128 * 1024;
    private const double ChunkSeconds = 0.0003;

    private const int BufferedBytes = 256 * 1024;
    private const int LeastMeasuredBytes = 256 * 1024;
    private const int MostMeasuredBytes = 4 * 1024 * 1024;

    // So slow that nothing else need be known.
    private const double SlowSeconds = 0.005;

    private const double MemoryBytesPerSecond = 2e9;
    private const int MemoryChunkBytes = 4 * 1024 * 1024;
    // More than all buffers on the way hold.
    private const long LeastMemoryBytes = 64 * 1024 * 1024;

    private long _bytes = -BufferedBytes;
    private double _seconds;
    private long _memoryBytes;

    /// <summary>The bytes to hand over at a time.</summary>
    public int ChunkBytes { get; private set; } = FirstChunkBytes;

    /// <summary>
    /// The bytes that may wait in the system besides. It asks for more when half of them are left, which comes too late where they are sent
    /// sooner than a thread wakes.
    /// </summary>
    public int UnsentBytes => Math.Max(ChunkBytes, LeastUnsentBytes);

    /// <summary>Sending begins anew: there was nothing to send.</summary>
    public void Begin() => Restart(-BufferedBytes);

    /// <summary>Takes in what the connection took.</summary>
    public void Add(int byteCount, TimeSpan time)
    {
        _bytes += byteCount;
        _seconds += time.TotalSeconds;
        if (time.TotalSeconds > SlowSeconds && byteCount >= LeastChunkBytes)
        {
            Adapt(byteCount / time.TotalSeconds);
            Restart(0);
            return;
        }
        if (_bytes < LeastMeasuredBytes)
            return;
        Adapt(_bytes / _seconds);
        // Buffers are full by now.
        if (_bytes > MostMeasuredBytes)
            Restart(0);
    }

    private void Restart(int bytes)
    {
        _memoryBytes += Math.Max(_bytes, 0);
        (_bytes, _seconds) = (bytes, 0);
    }

    // Down at once, up in steps: a measurement may be wrong. In whole steps, so that it does not change all the time.
    private void Adapt(double bytesPerSecond)
    {
        bool isMemory = _memoryBytes >= LeastMemoryBytes;
        // None, the bytes of this measurement included, which are added when it ends.
        if (!staysInMachine || bytesPerSecond < (isMemory ? MemoryBytesPerSecond / 2 : MemoryBytesPerSecond))
            _memoryBytes = -Math.Max(_bytes, 0);
        if (_memoryBytes >= LeastMemoryBytes)
        {
            ChunkBytes = MemoryChunkBytes;
            return;
        }
        double steps = Math.Floor(bytesPerSecond * ChunkSeconds / LeastChunkBytes);
        ChunkBytes = (int)Math.Clamp(steps * LeastChunkBytes, LeastChunkBytes, Math.Min(2 * ChunkBytes, MostChunkBytes));
    }
}

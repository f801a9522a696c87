namespace EdgeSplit.Monitoring.Internal;

/// <summary>Counts the bytes of all network interfaces but loopback.</summary>
internal sealed class NetworkTraffic(SystemFiles files)
{
    private const int ColumnsOfReceived = 8;
    private readonly SystemFile _interfaces = files.Open("/proc/net/dev");

    /// <summary>Bytes received and sent since the interfaces were set up; null where there is none.</summary>
    public (double? Received, double? Sent) Bytes()
    {
        ReadOnlySpan<byte> text = _interfaces.ReadAll();
        double? received = null, sent = null;
        while (SystemText.TryTakeLine(ref text, out ReadOnlySpan<byte> line))
        {
            // "eth0: bytes packets errs drop fifo frame compressed multicast bytes …"; two lines of titles have a bar.
            if (line.Contains((byte)'|') || !SystemText.TryTakeWord(ref line, out ReadOnlySpan<byte> name) || name.SequenceEqual("lo"u8))
                continue;
            double? of = SystemText.TakeNumber(ref line);
            for (int skipped = 1; skipped < ColumnsOfReceived; skipped++)
                SystemText.TryTakeWord(ref line, out _);
            if (of is null || SystemText.TakeNumber(ref line) is not { } to)
                continue;
            received = (received ?? 0) + of;
            sent = (sent ?? 0) + to;
        }
        return (received, sent);
    }
}

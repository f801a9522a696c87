using System.Buffers.Text;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>Counts the time that the processors which this process may use were busy, by anyone. Others say nothing of what it could take.</summary>
internal sealed class HostProcessors
{
    // The columns of /proc/stat: user nice system idle iowait irq softirq steal; guest time, which follows, is part of user time.
    private const int Columns = 8;
    private const int Idle = 3;
    private const int WaitingForDisks = 4;

    private readonly SystemFile _ticks;
    private readonly HashSet<int> _allowed = [];

    public HostProcessors(SystemFiles files)
    {
        _ticks = files.Open("/proc/stat");
        ReadOnlySpan<byte> status = files.Read("/proc/self/status");
        while (SystemText.TryTakeLine(ref status, out ReadOnlySpan<byte> line))
        {
            if (SystemText.TryTakeWord(ref line, out ReadOnlySpan<byte> name) && name.SequenceEqual("Cpus_allowed_list"u8) && SystemText.TryTakeWord(ref line, out ReadOnlySpan<byte> list))
                AddAll(list);
        }
    }

    /// <summary>How many processors the process may use: those that it is tied to, where the system tells.</summary>
    public int Count => _allowed.Count > 0 ? _allowed.Count : Environment.ProcessorCount;

    /// <summary>Whether the counts are of the same processors as another's.</summary>
    public bool AreSame(HostProcessors other) => _allowed.SetEquals(other._allowed);

    /// <summary>Busy and all ticks since the system's start; null where it does not tell.</summary>
    public (double? Busy, double? Total) Ticks()
    {
        ReadOnlySpan<byte> text = _ticks.ReadAll();
        (double Busy, double Total)? all = null, allowed = null;
        while (SystemText.TryTakeLine(ref text, out ReadOnlySpan<byte> line))
        {
            if (!SystemText.TryTakeWord(ref line, out ReadOnlySpan<byte> name) || !name.StartsWith("cpu"u8))
            {
                if (all is not null)
                    break;
                continue;
            }
            if (name.Length == 3)
                all ??= TicksOf(line);
            else if (Utf8Parser.TryParse(name[3..], out int number, out _) && _allowed.Contains(number) && TicksOf(line) is var (busy, total))
                allowed = (busy + (allowed?.Busy ?? 0), total + (allowed?.Total ?? 0));
        }
        // Where the process is tied to none the whole machine counts.
        (double Busy, double Total)? counted = allowed ?? all;
        return (counted?.Busy, counted?.Total);
    }

    private static (double Busy, double Total)? TicksOf(ReadOnlySpan<byte> columns)
    {
        double busy = 0, total = 0;
        int column = 0;
        for (; column < Columns && SystemText.TakeNumber(ref columns) is { } ticks; column++)
        {
            total += ticks;
            busy += column is Idle or WaitingForDisks ? 0 : ticks;
        }
        return column > Idle ? (busy, total) : null;
    }

    /// <summary>Takes in a list such as <c>0-3,8</c>.</summary>
    private void AddAll(ReadOnlySpan<byte> list)
    {
        const int Most = 1 << 16;
        foreach (Range part in list.Split((byte)','))
        {
            ReadOnlySpan<byte> range = list[part];
            if (!Utf8Parser.TryParse(range, out int first, out int length))
                continue;
            int last = length < range.Length && range[length] == '-' && Utf8Parser.TryParse(range[(length + 1)..], out int end, out _) ? end : first;
            for (int processor = Math.Max(first, 0); processor <= Math.Min(last, Most); processor++)
                _allowed.Add(processor);
        }
    }
}

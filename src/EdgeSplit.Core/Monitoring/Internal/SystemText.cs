using System.Buffers.Text;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>Takes lines, words and numbers from what the system writes, without making strings of them.</summary>
internal static class SystemText
{
    /// <summary>Takes the next line that is not empty, without the blanks around it.</summary>
    public static bool TryTakeLine(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            line = Trim(end < 0 ? text : text[..end]);
            text = end < 0 ? default : text[(end + 1)..];
            if (!line.IsEmpty)
                return true;
        }
        line = default;
        return false;
    }

    /// <summary>Takes the next word of a line; blanks and colons part words.</summary>
    public static bool TryTakeWord(ref ReadOnlySpan<byte> line, out ReadOnlySpan<byte> word)
    {
        int start = line.IndexOfAnyExcept((byte)' ', (byte)'\t', (byte)':');
        if (start < 0)
        {
            word = line = default;
            return false;
        }
        line = line[start..];
        int end = line.IndexOfAny((byte)' ', (byte)'\t', (byte)':');
        word = end < 0 ? line : line[..end];
        line = line[word.Length..];
        return true;
    }

    /// <summary>Takes the next word of a line as a number; null where there is none, or it is none.</summary>
    public static double? TakeNumber(ref ReadOnlySpan<byte> line) => TryTakeWord(ref line, out ReadOnlySpan<byte> word) ? Number(word) : null;

    /// <summary>The number after a name at the start of a line, such as <c>MemAvailable:    123 kB</c>.</summary>
    public static double? NumberAfter(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        while (TryTakeLine(ref text, out ReadOnlySpan<byte> line))
        {
            if (line.StartsWith(name) && TryTakeWord(ref line, out ReadOnlySpan<byte> word) && word.SequenceEqual(name))
                return TakeNumber(ref line);
        }
        return null;
    }

    /// <summary>The number that a text is; null where it is something else.</summary>
    public static double? Number(ReadOnlySpan<byte> text)
    {
        text = Trim(text);
        return Utf8Parser.TryParse(text, out double number, out int consumed) && consumed == text.Length && double.IsFinite(number) ? number : null;
    }

    /// <summary>The text without the blanks around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\r\n"u8);
}

using MessagePack;

namespace EdgeSplit.Transport.Framing;

/// <summary>Makes the error for bytes that do not follow the protocol.</summary>
internal static class ProtocolError
{
    public static EdgeSplitException Violation(string what, Exception? inner = null) => new(
        EdgeSplitError.ProtocolViolation,
        $"The peer does not follow the protocol: {what}. The connection was closed.",
        inner);

    /// <summary>Whether decoding throws such an exception for malformed bytes.</summary>
    public static bool IsMalformedInput(Exception exception) => exception is MessagePackSerializationException
        or EndOfStreamException or OverflowException or ArgumentException or InvalidOperationException or FormatException;
}

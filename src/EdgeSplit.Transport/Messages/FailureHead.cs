using System.Buffers;
using EdgeSplit.Transport.Framing;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>The header of a Failure or Close frame: a code and a message that is safe to show.</summary>
internal readonly record struct FailureHead(EdgeSplitError Error, string Message)
{
    private const int MaxMessageLength = 1000;

    public static FailureHead From(EdgeSplitException exception) => new(exception.Error, exception.Message);

    public EdgeSplitException ToException() => new(Error, Message);

    public void Write(IBufferWriter<byte> destination)
    {
        var writer = new MessagePackWriter(destination);
        writer.WriteArrayHeader(2);
        writer.Write((int)Error);
        writer.Write(Message.Length <= MaxMessageLength ? Message : Message[..MaxMessageLength]);
        writer.Flush();
    }

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.ProtocolViolation"/>.</exception>
    public static FailureHead Read(in ReadOnlySequence<byte> header)
    {
        try
        {
            var reader = new MessagePackReader(header);
            reader.ReadArrayHeaderOf(2);
            int code = reader.ReadInt32();
            string message = reader.ReadText();
            // A code that a newer peer knows is still a failure.
            EdgeSplitError error = Enum.IsDefined((EdgeSplitError)code) ? (EdgeSplitError)code : EdgeSplitError.Internal;
            return reader.End ? new FailureHead(error, message) : throw new MessagePackSerializationException("bytes are left over");
        }
        catch (Exception exception) when (ProtocolError.IsMalformedInput(exception))
        {
            throw ProtocolError.Violation($"a failure's header is malformed ({exception.Message})", exception);
        }
    }
}

using EdgeSplit.Storage;
using MessagePack;

namespace EdgeSplit.Transport.Messages;

/// <summary>Asks for the next piece of a blob that belongs to a load under way. Pieces of one blob are asked for in order.</summary>
/// <param name="LoadId">The load, as in <see cref="LoadCall.LoadId"/>.</param>
/// <param name="Hash">The blob.</param>
/// <param name="Offset">Where the piece starts, in bytes; 0 opens the blob.</param>
/// <param name="MaxBytes">The longest piece that is taken.</param>
internal sealed record ReadBlobCall(int LoadId, ContentHash Hash, long Offset, int MaxBytes) : Payload(Operation.ReadBlob)
{
    public override void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(4);
        writer.Write(LoadId);
        writer.WriteHash(Hash);
        writer.Write(Offset);
        writer.Write(MaxBytes);
    }

    public static ReadBlobCall Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeaderOf(4);
        return new ReadBlobCall(reader.ReadInt32(), reader.ReadHash(), reader.ReadInt64(), reader.ReadInt32());
    }
}

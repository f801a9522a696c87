namespace EdgeSplit.Onnx.Reading;

/// <summary>One field of a message in memory.</summary>
/// <param name="Number">The field number.</param>
/// <param name="WireType">How the content is written.</param>
/// <param name="ContentStart">Where the content starts, behind tag and length.</param>
/// <param name="End">Where the next field starts.</param>
internal readonly record struct WireField(int Number, int WireType, int ContentStart, int End)
{
    /// <summary>Reads the field at <paramref name="start"/>.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>: the message is damaged.</exception>
    public static WireField Read(ReadOnlySpan<byte> message, int start)
    {
        int position = start;
        ulong tag = ReadVarint(message, ref position);
        int wireType = (int)(tag & 7);
        int contentStart = position;
        switch (wireType)
        {
            case WireSchema.VarintType:
                ReadVarint(message, ref position);
                return new WireField((int)(tag >> 3), wireType, contentStart, position);
            case WireSchema.LengthType:
                ulong length = ReadVarint(message, ref position);
                if (length > (ulong)(message.Length - position))
                    throw Damaged();
                return new WireField((int)(tag >> 3), wireType, position, position + (int)length);
            case WireSchema.Fixed64Type or WireSchema.Fixed32Type:
                int size = wireType == WireSchema.Fixed64Type ? sizeof(ulong) : sizeof(uint);
                return size <= message.Length - position ? new WireField((int)(tag >> 3), wireType, contentStart, position + size) : throw Damaged();
            default:
                throw Damaged();
        }
    }

    private static ulong ReadVarint(ReadOnlySpan<byte> message, ref int position)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70 && position < message.Length; shift += 7)
        {
            byte next = message[position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }
        throw Damaged();
    }

    private static EdgeSplitException Damaged() => new(EdgeSplitError.InvalidModel, "The partition's skeleton is damaged.");
}

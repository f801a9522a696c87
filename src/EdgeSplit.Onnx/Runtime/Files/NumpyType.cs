using System.Globalization;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime.Files;

/// <summary>NumPy's description of an element type, such as <c>&lt;f4</c>.</summary>
/// <param name="ElementType">Ours.</param>
/// <param name="ByteCount">Bytes of one element.</param>
/// <param name="UnitByteCount">Bytes of what the byte order is about: half a complex number, one character of a text.</param>
/// <param name="IsBigEndian">Whether the most significant byte of a unit comes first.</param>
internal readonly record struct NumpyType(TensorElementType ElementType, int ByteCount, int UnitByteCount, bool IsBigEndian)
{
    private static readonly (string Text, TensorElementType Type)[] Names =
    [
        ("b1", TensorElementType.Bool), ("i1", TensorElementType.Int8), ("u1", TensorElementType.UInt8),
        ("i2", TensorElementType.Int16), ("u2", TensorElementType.UInt16), ("i4", TensorElementType.Int32), ("u4", TensorElementType.UInt32),
        ("i8", TensorElementType.Int64), ("u8", TensorElementType.UInt64), ("f2", TensorElementType.Float16), ("f4", TensorElementType.Float),
        ("f8", TensorElementType.Double), ("c8", TensorElementType.Complex64), ("c16", TensorElementType.Complex128),
    ];

    /// <summary>Reads a description.</summary>
    /// <exception cref="FormatException">The type is none that tensors have.</exception>
    public static NumpyType Parse(string text)
    {
        if (text.Length < 3 || text[0] is not ('<' or '>' or '|' or '='))
            throw Unknown(text);
        bool isBigEndian = text[0] == '>';
        string name = text[1..];
        if (name[0] is 'U' or 'S' && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int length))
        {
            int unit = name[0] == 'U' ? sizeof(int) : 1;
            return length is > 0 and < 1 << 24 ? new NumpyType(TensorElementType.String, length * unit, unit, isBigEndian) : throw Unknown(text);
        }
        foreach ((string known, TensorElementType type) in Names)
        {
            if (known != name)
                continue;
            int byteCount = type.BitsPerElement() / 8;
            int unit = type is TensorElementType.Complex64 or TensorElementType.Complex128 ? byteCount / 2 : byteCount;
            return new NumpyType(type, byteCount, unit, isBigEndian);
        }
        throw Unknown(text);
    }

    /// <summary>Describes an element type, strings excepted.</summary>
    /// <exception cref="NotSupportedException">NumPy has no such type.</exception>
    public static string Describe(TensorElementType elementType)
    {
        foreach ((string text, TensorElementType type) in Names)
        {
            if (type == elementType)
                return (type.BitsPerElement() == 8 ? "|" : "<") + text;
        }
        throw new NotSupportedException($"NumPy has no element type {elementType}; write a .pb file.");
    }

    private static FormatException Unknown(string text) => new($"its elements are of the type '{text}', which no tensor has");
}

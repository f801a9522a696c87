namespace EdgeSplit.Tensors;

/// <summary>The element types of ONNX tensors; the values are those of <c>TensorProto.DataType</c>.</summary>
public enum TensorElementType
{
    /// <summary>Not known.</summary>
    Undefined = 0,
    /// <summary>IEEE 754 binary32.</summary>
    Float = 1,
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 2,
    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 3,
    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16 = 4,
    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 5,
    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 6,
    /// <summary>Signed 64-bit integer.</summary>
    Int64 = 7,
    /// <summary>UTF-8 string of any length.</summary>
    String = 8,
    /// <summary>Boolean, one byte.</summary>
    Bool = 9,
    /// <summary>IEEE 754 binary16.</summary>
    Float16 = 10,
    /// <summary>IEEE 754 binary64.</summary>
    Double = 11,
    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32 = 12,
    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64 = 13,
    /// <summary>Two binary32 numbers, real part first.</summary>
    Complex64 = 14,
    /// <summary>Two binary64 numbers, real part first.</summary>
    Complex128 = 15,
    /// <summary>The upper half of a binary32.</summary>
    BFloat16 = 16,
    /// <summary>8-bit float, 4 exponent bits, finite only.</summary>
    Float8E4M3FN = 17,
    /// <summary>8-bit float, 4 exponent bits, finite only, no negative zero.</summary>
    Float8E4M3FNUZ = 18,
    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2 = 19,
    /// <summary>8-bit float, 5 exponent bits, finite only, no negative zero.</summary>
    Float8E5M2FNUZ = 20,
    /// <summary>Unsigned 4-bit integer, two to a byte.</summary>
    UInt4 = 21,
    /// <summary>Signed 4-bit integer, two to a byte.</summary>
    Int4 = 22,
    /// <summary>4-bit float, 2 exponent bits, two to a byte.</summary>
    Float4E2M1 = 23,
    /// <summary>8-bit power-of-two scale.</summary>
    Float8E8M0 = 24,
    /// <summary>Unsigned 2-bit integer, four to a byte.</summary>
    UInt2 = 25,
    /// <summary>Signed 2-bit integer, four to a byte.</summary>
    Int2 = 26,
}

using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>Tensors as the repeated fields of <c>InferTensorContents</c>, and back.</summary>
internal static class TypedContents
{
    /// <summary>Whether the protocol has a field for elements of the type.</summary>
    public static bool CanCarry(TensorElementType type) => type is TensorElementType.Bool or TensorElementType.String
        or TensorElementType.Int8 or TensorElementType.Int16 or TensorElementType.Int32 or TensorElementType.Int64
        or TensorElementType.UInt8 or TensorElementType.UInt16 or TensorElementType.UInt32 or TensorElementType.UInt64
        or TensorElementType.Float or TensorElementType.Double;

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: not that many elements, or out of range.</exception>
    public static Tensor Read(string name, TensorElementType type, TensorShape shape, V2.InferTensorContents? contents, TensorBufferPool pool)
    {
        contents ??= new V2.InferTensorContents();
        return type switch
        {
            TensorElementType.Bool => Fill(name, type, shape, contents.BoolContents, pool, static value => value),
            TensorElementType.Int8 => FillChecked<int, sbyte>(name, type, shape, contents.IntContents, pool),
            TensorElementType.Int16 => FillChecked<int, short>(name, type, shape, contents.IntContents, pool),
            TensorElementType.Int32 => Fill(name, type, shape, contents.IntContents, pool, static value => value),
            TensorElementType.Int64 => Fill(name, type, shape, contents.Int64Contents, pool, static value => value),
            TensorElementType.UInt8 => FillChecked<uint, byte>(name, type, shape, contents.UintContents, pool),
            TensorElementType.UInt16 => FillChecked<uint, ushort>(name, type, shape, contents.UintContents, pool),
            TensorElementType.UInt32 => Fill(name, type, shape, contents.UintContents, pool, static value => value),
            TensorElementType.UInt64 => Fill(name, type, shape, contents.Uint64Contents, pool, static value => value),
            TensorElementType.Float => Fill(name, type, shape, contents.Fp32Contents, pool, static value => value),
            TensorElementType.Double => Fill(name, type, shape, contents.Fp64Contents, pool, static value => value),
            TensorElementType.String => Strings(name, shape, contents.BytesContents),
            _ => throw new EdgeSplitException(
                EdgeSplitError.InvalidInput, $"Input '{name}' is {Datatypes.NameOf(type)}, which only raw_input_contents can carry."),
        };
    }

    public static V2.InferTensorContents Write(Tensor tensor)
    {
        var contents = new V2.InferTensorContents();
        switch (tensor.ElementType)
        {
            case TensorElementType.Bool:
                Add(contents.BoolContents, tensor.AsSpan<bool>(), static value => value);
                break;
            case TensorElementType.Int8:
                Add(contents.IntContents, tensor.AsSpan<sbyte>(), static value => value);
                break;
            case TensorElementType.Int16:
                Add(contents.IntContents, tensor.AsSpan<short>(), static value => value);
                break;
            case TensorElementType.Int32:
                Add(contents.IntContents, tensor.AsSpan<int>(), static value => value);
                break;
            case TensorElementType.Int64:
                Add(contents.Int64Contents, tensor.AsSpan<long>(), static value => value);
                break;
            case TensorElementType.UInt8:
                Add(contents.UintContents, tensor.AsSpan<byte>(), static value => value);
                break;
            case TensorElementType.UInt16:
                Add(contents.UintContents, tensor.AsSpan<ushort>(), static value => value);
                break;
            case TensorElementType.UInt32:
                Add(contents.UintContents, tensor.AsSpan<uint>(), static value => value);
                break;
            case TensorElementType.UInt64:
                Add(contents.Uint64Contents, tensor.AsSpan<ulong>(), static value => value);
                break;
            case TensorElementType.Float:
                Add(contents.Fp32Contents, tensor.AsSpan<float>(), static value => value);
                break;
            case TensorElementType.Double:
                Add(contents.Fp64Contents, tensor.AsSpan<double>(), static value => value);
                break;
            default:
                contents.BytesContents.Add(tensor.Strings.Select(ByteString.CopyFromUtf8));
                break;
        }
        return contents;
    }

    private static void Add<T, TField>(RepeatedField<TField> field, ReadOnlySpan<T> values, Func<T, TField> convert)
    {
        field.Capacity = values.Length;
        foreach (T value in values)
            field.Add(convert(value));
    }

    private static Tensor FillChecked<TField, T>(string name, TensorElementType type, TensorShape shape, RepeatedField<TField> field, TensorBufferPool pool)
        where TField : INumberBase<TField>
        where T : unmanaged, INumberBase<T>
    {
        try
        {
            return Fill(name, type, shape, field, pool, T.CreateChecked);
        }
        catch (OverflowException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has an element that is no {Datatypes.NameOf(type)}.", exception);
        }
    }

    private static Tensor Fill<TField, T>(
        string name, TensorElementType type, TensorShape shape, RepeatedField<TField> field, TensorBufferPool pool, Func<TField, T> convert)
        where T : unmanaged
    {
        CheckCount(name, type, shape, field.Count);
        Tensor tensor = Tensor.Allocate(type, shape, out Memory<byte> destination, pool);
        try
        {
            Span<T> elements = MemoryMarshal.Cast<byte, T>(destination.Span);
            for (int i = 0; i < elements.Length; i++)
                elements[i] = convert(field[i]);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static Tensor Strings(string name, TensorShape shape, RepeatedField<ByteString> field)
    {
        CheckCount(name, TensorElementType.String, shape, field.Count);
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        try
        {
            return Tensor.FromStrings(field.Select(bytes => utf8.GetString(bytes.Span)), shape);
        }
        catch (DecoderFallbackException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has an element that is not UTF-8; the model takes text.", exception);
        }
    }

    private static void CheckCount(string name, TensorElementType type, TensorShape shape, int count)
    {
        if (count != shape.ElementCount)
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has {count} elements in the field of {Datatypes.NameOf(type)}; its shape {shape} needs {shape.ElementCount}.");
    }
}

using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeSplit.Tensors;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>
/// Tensors as JSON arrays, flat or nested, row-major. JSON has no infinities and no NaN; they are the strings <c>"Infinity"</c>,
/// <c>"-Infinity"</c> and <c>"NaN"</c>.
/// </summary>
internal static class JsonTensors
{
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>: not that many elements, or none of the type.</exception>
    public static Tensor Read(string name, TensorElementType type, TensorShape shape, JsonElement data, TensorBufferPool pool)
    {
        try
        {
            return type switch
            {
                TensorElementType.Bool => Fill(name, type, shape, data, pool, static element => element.GetBoolean()),
                TensorElementType.Int8 => Fill(name, type, shape, data, pool, static element => element.GetSByte()),
                TensorElementType.Int16 => Fill(name, type, shape, data, pool, static element => element.GetInt16()),
                TensorElementType.Int32 => Fill(name, type, shape, data, pool, static element => element.GetInt32()),
                TensorElementType.Int64 => Fill(name, type, shape, data, pool, static element => element.GetInt64()),
                TensorElementType.UInt8 => Fill(name, type, shape, data, pool, static element => element.GetByte()),
                TensorElementType.UInt16 => Fill(name, type, shape, data, pool, static element => element.GetUInt16()),
                TensorElementType.UInt32 => Fill(name, type, shape, data, pool, static element => element.GetUInt32()),
                TensorElementType.UInt64 => Fill(name, type, shape, data, pool, static element => element.GetUInt64()),
                TensorElementType.Float16 => Fill(name, type, shape, data, pool, static element => (Half)Float(element)),
                TensorElementType.BFloat16 => Fill(name, type, shape, data, pool, static element => BFloat16.FromSingle((float)Float(element))),
                TensorElementType.Float => Fill(name, type, shape, data, pool, static element => element.ValueKind == JsonValueKind.Number ? element.GetSingle() : (float)Float(element)),
                TensorElementType.Double => Fill(name, type, shape, data, pool, Float),
                TensorElementType.String => Strings(name, shape, data),
                _ => throw new EdgeSplitException(
                    EdgeSplitError.InvalidInput, $"Input '{name}' is {Datatypes.NameOf(type)}, which JSON cannot carry; send it as binary data."),
            };
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException or OverflowException)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has an element in its data that is no {Datatypes.NameOf(type)}.", exception);
        }
    }

    /// <summary>Whether JSON can carry the type.</summary>
    public static bool CanCarry(TensorElementType type) =>
        TypedContents.CanCarry(type) || type is TensorElementType.Float16 or TensorElementType.BFloat16;

    /// <summary>Writes the elements as a flat array.</summary>
    public static void Write(Utf8JsonWriter writer, Tensor tensor)
    {
        writer.WriteStartArray();
        switch (tensor.ElementType)
        {
            case TensorElementType.Bool:
                foreach (bool value in tensor.AsSpan<bool>())
                    writer.WriteBooleanValue(value);
                break;
            case TensorElementType.Int8:
                WriteIntegers(writer, tensor.AsSpan<sbyte>());
                break;
            case TensorElementType.Int16:
                WriteIntegers(writer, tensor.AsSpan<short>());
                break;
            case TensorElementType.Int32:
                WriteIntegers(writer, tensor.AsSpan<int>());
                break;
            case TensorElementType.Int64:
                WriteIntegers(writer, tensor.AsSpan<long>());
                break;
            case TensorElementType.UInt8:
                WriteIntegers(writer, tensor.AsSpan<byte>());
                break;
            case TensorElementType.UInt16:
                WriteIntegers(writer, tensor.AsSpan<ushort>());
                break;
            case TensorElementType.UInt32:
                WriteIntegers(writer, tensor.AsSpan<uint>());
                break;
            case TensorElementType.UInt64:
                foreach (ulong value in tensor.AsSpan<ulong>())
                    writer.WriteNumberValue(value);
                break;
            case TensorElementType.Float16:
                foreach (Half value in tensor.AsSpan<Half>())
                    WriteFloat(writer, (float)value);
                break;
            case TensorElementType.BFloat16:
                foreach (ushort value in tensor.AsSpan<ushort>())
                    WriteFloat(writer, BFloat16.ToSingle(value));
                break;
            case TensorElementType.Float:
                foreach (float value in tensor.AsSpan<float>())
                    WriteFloat(writer, value);
                break;
            case TensorElementType.Double:
                foreach (double value in tensor.AsSpan<double>())
                {
                    if (double.IsFinite(value))
                        writer.WriteNumberValue(value);
                    else
                        writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
                }
                break;
            default:
                foreach (string value in tensor.Strings)
                    writer.WriteStringValue(value);
                break;
        }
        writer.WriteEndArray();
    }

    private static void WriteIntegers<T>(Utf8JsonWriter writer, ReadOnlySpan<T> values)
        where T : INumberBase<T>
    {
        foreach (T value in values)
            writer.WriteNumberValue(long.CreateTruncating(value));
    }

    private static void WriteFloat(Utf8JsonWriter writer, float value)
    {
        if (float.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    private static double Float(JsonElement element) => element.ValueKind == JsonValueKind.String
        ? element.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => throw new FormatException(),
        }
        : element.GetDouble();

    private static Tensor Fill<T>(
        string name, TensorElementType type, TensorShape shape, JsonElement data, TensorBufferPool pool, Func<JsonElement, T> convert)
        where T : unmanaged
    {
        // Each element has at least a digit and a comma of JSON, so a shape alone makes nobody allocate.
        CheckCount(name, type, shape, Count(data));
        Tensor tensor = Tensor.Allocate(type, shape, out Memory<byte> destination, pool);
        try
        {
            int index = 0;
            FillFrom(data, MemoryMarshal.Cast<byte, T>(destination.Span), ref index, convert);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private static void FillFrom<T>(JsonElement data, Span<T> elements, ref int index, Func<JsonElement, T> convert)
    {
        if (data.ValueKind != JsonValueKind.Array)
        {
            elements[index++] = convert(data);
            return;
        }
        foreach (JsonElement element in data.EnumerateArray())
            FillFrom(element, elements, ref index, convert);
    }

    private static Tensor Strings(string name, TensorShape shape, JsonElement data)
    {
        CheckCount(name, TensorElementType.String, shape, Count(data));
        string[] strings = new string[shape.ElementCount];
        int index = 0;
        FillFrom(data, strings, ref index, static element => element.GetString() ?? throw new FormatException());
        return Tensor.FromStrings(strings, shape);
    }

    private static long Count(JsonElement data)
    {
        if (data.ValueKind != JsonValueKind.Array)
            return 1;
        long count = 0;
        foreach (JsonElement element in data.EnumerateArray())
            count += element.ValueKind == JsonValueKind.Array ? Count(element) : 1;
        return count;
    }

    private static void CheckCount(string name, TensorElementType type, TensorShape shape, long count)
    {
        if (count != shape.ElementCount)
            throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{name}' has {count} elements in its data; {Datatypes.NameOf(type)} {shape} has {shape.ElementCount}.");
    }

    /// <summary>The upper half of a binary32.</summary>
    private static class BFloat16
    {
        public static float ToSingle(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

        public static ushort FromSingle(float value)
        {
            uint bits = BitConverter.SingleToUInt32Bits(value);
            // To the nearest, ties to even; a NaN stays one.
            return float.IsNaN(value) ? (ushort)(bits >> 16 | 0x40) : (ushort)(bits + 0x7FFF + (bits >> 16 & 1) >> 16);
        }
    }
}

using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using EdgeSplit.Tensors;

namespace EdgeSplit.Transport.Compression.Internal;

/// <summary>
/// 32-bit floats as steps: for each channel its smallest number and the width of a step, both 32-bit floats, and after those of
/// all channels one byte for each number.
/// </summary>
internal static class Int8Codec
{
    /// <summary>Half of one of 255 steps over a channel's range, which is at most twice the largest number.</summary>
    public const double LargestError = 1.0 / 255;

    private const int ChannelHeadBytes = 2 * sizeof(float);
    private const int Steps = 255;

    /// <summary>The numbers of one channel, which lie one after the other.</summary>
    public static int ChannelLength(TensorShape shape)
    {
        ReadOnlySpan<long> dimensions = shape.Dimensions.AsSpan();
        if (dimensions.IsEmpty || shape.ElementCount == 0)
            return 1;
        if (dimensions.Length < 4)
            return (int)Math.Min(dimensions[^1], int.MaxValue);
        long length = 1;
        foreach (long dimension in dimensions[2..])
            length *= dimension;
        return (int)Math.Min(length, int.MaxValue);
    }

    public static long EncodedBytes(long elementCount, int channelLength) => elementCount + (elementCount / channelLength * ChannelHeadBytes);

    /// <returns>The bytes written; 0 if a number is not finite or nothing would be saved.</returns>
    public static int Encode(ReadOnlySpan<float> numbers, int channelLength, Span<byte> destination)
    {
        long encodedBytes = EncodedBytes(numbers.Length, channelLength);
        if (encodedBytes >= (long)numbers.Length * sizeof(float))
            return 0;
        int channels = numbers.Length / channelLength;
        Span<float> heads = MemoryMarshal.Cast<byte, float>(destination[..(channels * ChannelHeadBytes)]);
        Span<byte> steps = destination.Slice(channels * ChannelHeadBytes, numbers.Length);
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<float> own = numbers.Slice(channel * channelLength, channelLength);
            float least = TensorPrimitives.Min(own);
            float width = (TensorPrimitives.Max(own) - least) / Steps;
            if (!float.IsFinite(least) || !float.IsFinite(width))
                return 0;
            (heads[2 * channel], heads[(2 * channel) + 1]) = (least, width);
            Quantize(own, least, width > 0 ? 1 / width : 0, steps.Slice(channel * channelLength, channelLength));
        }
        return (int)encodedBytes;
    }

    public static void Decode(ReadOnlySpan<byte> encoded, int channelLength, Span<float> numbers)
    {
        int channels = numbers.Length / channelLength;
        ReadOnlySpan<float> heads = MemoryMarshal.Cast<byte, float>(encoded[..(channels * ChannelHeadBytes)]);
        ReadOnlySpan<byte> steps = encoded[(channels * ChannelHeadBytes)..];
        for (int channel = 0; channel < channels; channel++)
        {
            int start = channel * channelLength;
            Restore(steps.Slice(start, channelLength), heads[2 * channel], heads[(2 * channel) + 1], numbers.Slice(start, channelLength));
        }
    }

    private static void Quantize(ReadOnlySpan<float> numbers, float least, float stepsPerUnit, Span<byte> destination)
    {
        int i = 0;
        var offset = new Vector<float>(least);
        var factor = new Vector<float>(stepsPerUnit);
        var half = new Vector<float>(0.5f);
        var most = new Vector<float>(Steps);
        int width = Vector<float>.Count;
        for (; i <= numbers.Length - (4 * width); i += 4 * width)
        {
            Vector<short> first = Vector.Narrow(Step(numbers[i..]), Step(numbers[(i + width)..]));
            Vector<short> second = Vector.Narrow(Step(numbers[(i + (2 * width))..]), Step(numbers[(i + (3 * width))..]));
            Vector.AsVectorByte(Vector.Narrow(first, second)).CopyTo(destination[i..]);
        }
        for (; i < numbers.Length; i++)
            destination[i] = (byte)Math.Min(((numbers[i] - least) * stepsPerUnit) + 0.5f, Steps);

        Vector<int> Step(ReadOnlySpan<float> four) => Vector.ConvertToInt32(Vector.Min(((new Vector<float>(four) - offset) * factor) + half, most));
    }

    private static void Restore(ReadOnlySpan<byte> steps, float least, float width, Span<float> numbers)
    {
        int i = 0;
        var offset = new Vector<float>(least);
        var factor = new Vector<float>(width);
        for (; i <= steps.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(steps[i..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> first, out Vector<uint> second);
            Vector.Widen(high, out Vector<uint> third, out Vector<uint> fourth);
            Store(first, numbers[i..]);
            Store(second, numbers[(i + Vector<float>.Count)..]);
            Store(third, numbers[(i + (2 * Vector<float>.Count))..]);
            Store(fourth, numbers[(i + (3 * Vector<float>.Count))..]);
        }
        for (; i < steps.Length; i++)
            numbers[i] = least + (steps[i] * width);

        void Store(Vector<uint> four, Span<float> destination) =>
            ((Vector.ConvertToSingle(Vector.AsVectorInt32(four)) * factor) + offset).CopyTo(destination);
    }
}

using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression.Internal;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Compression;

/// <summary>Encodes tensors for the way over a link. Thread-safe.</summary>
public static class ActivationCodec
{
    // Below, a header's few bytes and a call more cost what encoding saves.
    private const int LeastBytes = 256;
    private const int Repeats = 5;

    /// <summary>What a receiver gets of a tensor.</summary>
    /// <param name="tensor">The tensor; borrowed.</param>
    /// <param name="encoding">How it travels.</param>
    /// <param name="encodedBytes">The bytes that travel.</param>
    /// <returns>A tensor of the same type and shape, for the caller to dispose of.</returns>
    public static Tensor RoundTrip(Tensor tensor, ActivationEncoding encoding, out int encodedBytes)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (!TryEncode(tensor, encoding, TensorBufferPool.Shared, out IMemoryOwner<byte>? encoded, out encodedBytes))
        {
            encodedBytes = (int)tensor.ByteCount;
            return tensor.Clone();
        }
        using (encoded)
        {
            var part = new TensorPart("", tensor.ElementType, tensor.Shape, encodedBytes, encoding);
            return Decode(part, encoded.Memory.Span[..encodedBytes], TensorBufferPool.Shared)
                ?? throw new EdgeSplitException(EdgeSplitError.Internal, $"{encoding} did not decode what it encoded; please report it.");
        }
    }

    /// <summary>Measures what the encodings cost on this machine and gain with tensors such as the samples.</summary>
    /// <param name="samples">Tensors such as those that will travel; null for normally distributed numbers.</param>
    /// <remarks>Takes some tens of milliseconds for each megabyte. Errors are the bounds of <see cref="ActivationEncoding"/>, not what the samples had.</remarks>
    public static ImmutableArray<ActivationCompression> Measure(IReadOnlyCollection<Tensor>? samples = null)
    {
        using Tensor noise = Noise();
        samples ??= [noise];
        return [.. Enum.GetValues<ActivationEncoding>().Where(static encoding => encoding != ActivationEncoding.None).Select(encoding => Measure(samples, encoding))];
    }

    /// <summary>Encodes a tensor; false if it travels as it is.</summary>
    internal static bool TryEncode(
        Tensor tensor, ActivationEncoding encoding, TensorBufferPool pool, [NotNullWhen(true)] out IMemoryOwner<byte>? encoded, out int encodedBytes)
    {
        encoded = null;
        encodedBytes = 0;
        if (encoding == ActivationEncoding.None || tensor.ElementType == TensorElementType.String || tensor.ByteCount < LeastBytes
            || (encoding != ActivationEncoding.Lz4 && tensor.ElementType != TensorElementType.Float))
        {
            return false;
        }
        ReadOnlySpan<byte> bytes = tensor.Bytes.Span;
        ReadOnlySpan<float> numbers = MemoryMarshal.Cast<byte, float>(bytes);
        IMemoryOwner<byte> buffer = pool.Rent(bytes.Length);
        try
        {
            encodedBytes = encoding switch
            {
                ActivationEncoding.Float16 => Float16Codec.Encode(numbers, buffer.Memory.Span),
                ActivationEncoding.Int8PerChannel => Int8Codec.Encode(numbers, Int8Codec.ChannelLength(tensor.Shape), buffer.Memory.Span),
                _ => Lz4Codec.Encode(bytes, tensor.ElementType.BitsPerElement() / 8, buffer.Memory.Span, pool),
            };
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        if (encodedBytes > 0)
        {
            encoded = buffer;
            return true;
        }
        buffer.Dispose();
        return false;
    }

    /// <summary>Whether so many bytes can be what an encoding makes of a tensor, and the tensor is not too large.</summary>
    internal static bool CanBeDecoded(ActivationEncoding encoding, TensorElementType elementType, TensorShape shape, long encodedBytes, int maxTensorBytes)
    {
        if (elementType.BitsPerElement() == 0)
            return false;
        long byteCount = elementType.ByteCount(shape.ElementCount);
        return byteCount is > 0 && byteCount <= maxTensorBytes && encoding switch
        {
            ActivationEncoding.Float16 => elementType == TensorElementType.Float && encodedBytes == byteCount / 2,
            ActivationEncoding.Int8PerChannel => elementType == TensorElementType.Float
                && encodedBytes == Int8Codec.EncodedBytes(shape.ElementCount, Int8Codec.ChannelLength(shape)),
            _ => encodedBytes is > 0 && encodedBytes < byteCount,
        };
    }

    /// <summary>Decodes what passed <see cref="CanBeDecoded"/>; null if the bytes are damaged.</summary>
    internal static Tensor? Decode(TensorPart part, ReadOnlySpan<byte> encoded, TensorBufferPool pool)
    {
        Tensor tensor = Tensor.Allocate(part.ElementType, part.Shape, out Memory<byte> destination, pool);
        Span<float> numbers = MemoryMarshal.Cast<byte, float>(destination.Span);
        bool isWhole = true;
        switch (part.Encoding)
        {
            case ActivationEncoding.Float16:
                Float16Codec.Decode(encoded, numbers);
                break;
            case ActivationEncoding.Int8PerChannel:
                Int8Codec.Decode(encoded, Int8Codec.ChannelLength(part.Shape), numbers);
                break;
            default:
                isWhole = Lz4Codec.TryDecode(encoded, part.ElementType.BitsPerElement() / 8, destination.Span, pool);
                break;
        }
        if (isWhole)
            return tensor;
        tensor.Dispose();
        return null;
    }

    private static ActivationCompression Measure(IReadOnlyCollection<Tensor> samples, ActivationEncoding encoding)
    {
        long bytes = 0;
        long encodedBytes = 0;
        double encodeSeconds = 0;
        double decodeSeconds = 0;
        foreach (Tensor sample in samples)
        {
            bytes += sample.ByteCount;
            TimeSpan encode = TimeSpan.MaxValue;
            TimeSpan decode = TimeSpan.MaxValue;
            int length = (int)sample.ByteCount;
            for (int i = 0; i < Repeats; i++)
            {
                long started = Stopwatch.GetTimestamp();
                bool isEncoded = TryEncode(sample, encoding, TensorBufferPool.Shared, out IMemoryOwner<byte>? encoded, out int encodedLength);
                encode = Shorter(encode, Stopwatch.GetElapsedTime(started));
                if (!isEncoded)
                {
                    decode = TimeSpan.Zero;
                    continue;
                }
                using (encoded)
                {
                    length = encodedLength;
                    started = Stopwatch.GetTimestamp();
                    Decode(new TensorPart("", sample.ElementType, sample.Shape, length, encoding), encoded!.Memory.Span[..length], TensorBufferPool.Shared)?.Dispose();
                    decode = Shorter(decode, Stopwatch.GetElapsedTime(started));
                }
            }
            encodedBytes += length;
            encodeSeconds += encode.TotalSeconds;
            decodeSeconds += decode.TotalSeconds;
        }
        return new ActivationCompression
        {
            Encoding = encoding,
            BytesRatio = (double)encodedBytes / Math.Max(bytes, 1),
            EncodeBytesPerSecond = bytes / Math.Max(encodeSeconds, 1e-9),
            DecodeBytesPerSecond = bytes / Math.Max(decodeSeconds, 1e-9),
            LargestError = encoding switch
            {
                ActivationEncoding.Float16 => Float16Codec.LargestError,
                ActivationEncoding.Int8PerChannel => Int8Codec.LargestError,
                _ => 0,
            },
        };
    }

    private static TimeSpan Shorter(TimeSpan first, TimeSpan second) => first < second ? first : second;

    private static Tensor Noise()
    {
        var random = new Random(1);
        Tensor tensor = Tensor.Allocate(TensorElementType.Float, new TensorShape(1, 64, 64, 64), out Memory<byte> destination);
        Span<float> numbers = MemoryMarshal.Cast<byte, float>(destination.Span);
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return tensor;
    }
}

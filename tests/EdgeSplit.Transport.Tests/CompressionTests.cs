using System.Buffers;
using System.Runtime.InteropServices;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Compression;
using EdgeSplit.Transport.Messages;

namespace EdgeSplit.Transport.Tests;

[CancelAfter(30_000)]
public sealed class CompressionTests
{
    private static readonly TensorShape[] Shapes = [new(1, 7, 13, 11), new(3, 129, 64), new(2, 1000), new(4097), new(2, 3, 5, 7, 33)];

    [TestCase(ActivationEncoding.Float16, 0.5)]
    [TestCase(ActivationEncoding.Int8PerChannel, 0.32)]
    public void RoundTrip_lossy_keeps_within_its_bound(ActivationEncoding encoding, double largestRatio)
    {
        for (int seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            using Tensor tensor = Numbers(Shapes[seed % Shapes.Length], random, Math.Pow(10, random.Next(-3, 4)), random.NextDouble() - 0.5);
            using Tensor received = ActivationCodec.RoundTrip(tensor, encoding, out int bytes);

            ReadOnlySpan<float> sent = tensor.AsSpan<float>();
            ReadOnlySpan<float> got = received.AsSpan<float>();
            float largest = System.Numerics.Tensors.TensorPrimitives.MaxMagnitude(sent);
            double error = 0;
            for (int i = 0; i < sent.Length; i++)
                error = Math.Max(error, Math.Abs(sent[i] - got[i]));
            double bound = encoding == ActivationEncoding.Float16 ? 1.0 / 2048 : 1.0 / 255;
            Assert.That(error, Is.LessThanOrEqualTo(bound * Math.Abs(largest) * 1.001), $"seed {seed}, {tensor}");
            Assert.That((double)bytes / tensor.ByteCount, Is.LessThanOrEqualTo(largestRatio), $"seed {seed}, {tensor}");
        }
    }

    [Test]
    public void RoundTrip_of_equal_numbers_in_steps_is_exact()
    {
        using Tensor tensor = Tensor.Create<float>(Enumerable.Repeat(3.25f, 4096).ToArray(), new TensorShape(4, 1024));
        using Tensor received = ActivationCodec.RoundTrip(tensor, ActivationEncoding.Int8PerChannel, out _);
        Assert.That(received.Bytes.Span.SequenceEqual(tensor.Bytes.Span));
    }

    [TestCase(ActivationEncoding.Float16, float.NaN)]
    [TestCase(ActivationEncoding.Float16, 70_000f)]
    [TestCase(ActivationEncoding.Float16, float.NegativeInfinity)]
    [TestCase(ActivationEncoding.Int8PerChannel, float.NaN)]
    [TestCase(ActivationEncoding.Int8PerChannel, float.PositiveInfinity)]
    public void RoundTrip_of_what_an_encoding_cannot_carry_is_exact(ActivationEncoding encoding, float number)
    {
        using Tensor tensor = Tensor.Create<float>([.. Enumerable.Range(0, 1000).Select(i => i == 617 ? number : i)], new TensorShape(1000));
        using Tensor received = ActivationCodec.RoundTrip(tensor, encoding, out int bytes);
        Assert.That(bytes, Is.EqualTo(4000));
        Assert.That(received.Bytes.Span.SequenceEqual(tensor.Bytes.Span));
    }

    [Test]
    public void RoundTrip_lossless_is_exact_for_every_type()
    {
        foreach (TensorElementType type in Enum.GetValues<TensorElementType>().Where(static type => type.BitsPerElement() > 0))
        {
            for (int seed = 0; seed < 4; seed++)
            {
                using Tensor tensor = Tensor.Allocate(type, new TensorShape(3, 1001), out Memory<byte> bytes);
                new Random(seed).NextBytes(bytes.Span);
                // Zeros make it smaller; random bytes alone travel as they are.
                if (seed > 0)
                    bytes.Span[(bytes.Length / (seed + 1))..].Clear();
                using Tensor received = ActivationCodec.RoundTrip(tensor, ActivationEncoding.Lz4, out int encodedBytes);
                Assert.That(received.Bytes.Span.SequenceEqual(bytes.Span), $"{type}, seed {seed}");
                Assert.That(encodedBytes, seed == 0 ? Is.EqualTo(bytes.Length) : Is.LessThan(bytes.Length));
            }
        }
    }

    [Test]
    public void Decode_of_damaged_bytes_gives_a_tensor_or_nothing()
    {
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            var encoding = (ActivationEncoding)random.Next(1, 4);
            var shape = new TensorShape(random.Next(1, 5), random.Next(64, 300));
            using Tensor tensor = Numbers(shape, random, 1, 0);
            Assume.That(ActivationCodec.TryEncode(tensor, encoding, TensorBufferPool.Shared, out IMemoryOwner<byte>? encoded, out int count));
            using (encoded)
            {
                Span<byte> bytes = encoded!.Memory.Span[..count];
                for (int change = random.Next(1, 9); change > 0; change--)
                    bytes[random.Next(count)] = (byte)random.Next(256);
                using Tensor? received = ActivationCodec.Decode(new TensorPart("", tensor.ElementType, shape, count, encoding), bytes, TensorBufferPool.Shared);
                Assert.That(received is null || received.Shape == shape);
            }
        }
    }

    [TestCase(ActivationEncoding.Float16)]
    [TestCase(ActivationEncoding.Int8PerChannel)]
    [TestCase(ActivationEncoding.Lz4)]
    public async Task ExecuteAsync_encoded_arrives_as_its_round_trip_both_ways(ActivationEncoding encoding, CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync();
        using Tensor numbers = Numbers(new TensorShape(1, 16, 32, 32), new Random(3), 4, 0.1);
        using Tensor words = Tensor.FromStrings(["a", "b"], new TensorShape(2));
        using Tensor once = ActivationCodec.RoundTrip(numbers, encoding, out _);
        using Tensor twice = ActivationCodec.RoundTrip(once, encoding, out _);
        byte[]? seen = null;
        ActivationEncoding asked = default;
        link.Agent.OnExecute = (call, _) =>
        {
            seen = call.Inputs["x"].Bytes.ToArray();
            asked = call.Encoding;
            return ValueTask.FromResult(FakeAgent.Echo(call));
        };

        var request = new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = numbers, ["s"] = words }) { Encoding = encoding };
        using (PartialResult result = await link.Remote.ExecuteAsync(request, cancellationToken))
        {
            Assert.That(asked, Is.EqualTo(encoding));
            Assert.That(seen.AsSpan().SequenceEqual(once.Bytes.Span));
            Assert.That(result.Outputs["x"].Bytes.Span.SequenceEqual(twice.Bytes.Span));
            Assert.That(result.Outputs["s"].Strings, Is.EqualTo(words.Strings));
        }
        await link.NothingIsLeftAsync(cancellationToken);
    }

    [Test]
    public async Task ExecuteAsync_encoded_counts_as_what_it_takes_at_the_receiver(CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(
            new AgentServerOptions { Limits = new TransportLimits { MaxTensorBytes = 1 << 20, MaxBufferedBytes = 1 << 20 } });
        using Tensor zeros = Tensor.Create<float>(new float[1 << 18], new TensorShape(1 << 18));
        var request = new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = zeros }) { Encoding = ActivationEncoding.Lz4 };

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(async () => await link.Remote.ExecuteAsync(request, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
        (await link.Remote.ExecuteAsync(request with { Encoding = ActivationEncoding.None }, cancellationToken)).Dispose();
    }

    [Test]
    public void Measure_gives_every_encoding_its_figures()
    {
        foreach (ActivationCompression figures in ActivationCodec.Measure())
        {
            Assert.That(figures.BytesRatio, Is.InRange(0.2, 1));
            Assert.That(figures.EncodeBytesPerSecond, Is.Positive.And.Not.EqualTo(double.PositiveInfinity));
            Assert.That(figures.DecodeBytesPerSecond, Is.Positive);
        }
    }

    private static Tensor Numbers(TensorShape shape, Random random, double scale, double offset)
    {
        Tensor tensor = Tensor.Allocate(TensorElementType.Float, shape, out Memory<byte> bytes);
        Span<float> numbers = MemoryMarshal.Cast<byte, float>(bytes.Span);
        // As after ReLU: half of them nothing.
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = (float)(Math.Max(random.NextDouble() - 0.5, 0) * scale + (offset * scale));
        return tensor;
    }
}

using EdgeSplit.Compression;
using EdgeSplit.Costs;
using EdgeSplit.Devices;

namespace EdgeSplit.Tests.Costs;

internal sealed class CompressionTests
{
    private static readonly ActivationCompression Lossless = Figures(ActivationEncoding.Lz4, 0.8, 400e6, 0);
    private static readonly ActivationCompression Half = Figures(ActivationEncoding.Float16, 0.5, 4e9, 1.0 / 2048);
    private static readonly ActivationCompression Steps = Figures(ActivationEncoding.Int8PerChannel, 0.25, 2e9, 1.0 / 255);

    [TestCase(12.5e6, 0, ActivationEncoding.Lz4)]
    [TestCase(12.5e6, 0.001, ActivationEncoding.Float16)]
    [TestCase(12.5e6, 0.01, ActivationEncoding.Int8PerChannel)]
    [TestCase(1.25e9, 0, ActivationEncoding.None)]
    [TestCase(1.25e9, 0.01, ActivationEncoding.None)]
    [TestCase(0.5e9, 0.01, ActivationEncoding.Float16)]
    [TestCase(double.PositiveInfinity, 1, ActivationEncoding.None)]
    public void Choose_takes_what_is_soonest_within_the_budget(double bytesPerSecond, double budget, ActivationEncoding expected)
    {
        var options = new CompressionOptions { ErrorBudget = budget, Choices = [Lossless, Half with { EncodeBytesPerSecond = 2.4e9, DecodeBytesPerSecond = 2.4e9 }, Steps with { EncodeBytesPerSecond = 1e9, DecodeBytesPerSecond = 1e9 }] };
        Link link = options.Choose(new Link { BytesPerSecond = bytesPerSecond });
        Assert.That(link.Compression?.Encoding ?? ActivationEncoding.None, Is.EqualTo(expected));
    }

    [Test]
    public void Choose_leaves_a_link_that_states_its_compression()
    {
        var stated = new Link { Compression = Half };
        Assert.That(new CompressionOptions { ErrorBudget = 1, Choices = [Steps] }.Choose(stated), Is.SameAs(stated));
    }

    [Test]
    public void TransferSeconds_counts_encoding_sending_and_decoding()
    {
        var link = new Link { BytesPerSecond = 10e6, Compression = Half };
        Assert.That(new WeightedCostModel().TransferSeconds(1_000_000, link), Is.EqualTo(0.05 + 1e6 / 4e9 * 2).Within(1e-9));
    }

    private static ActivationCompression Figures(ActivationEncoding encoding, double ratio, double rate, double error) => new()
    {
        Encoding = encoding,
        BytesRatio = ratio,
        EncodeBytesPerSecond = rate,
        DecodeBytesPerSecond = rate,
        LargestError = error,
    };
}

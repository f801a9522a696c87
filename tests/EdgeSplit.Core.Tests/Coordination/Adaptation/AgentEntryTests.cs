using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination.Adaptation;

internal sealed class AgentEntryTests
{
    private static readonly ActivationCompression Half = new()
    {
        Encoding = ActivationEncoding.Float16,
        BytesRatio = 0.5,
        EncodeBytesPerSecond = 1e9,
        DecodeBytesPerSecond = 1e9,
        LargestError = 0.001,
    };

    private static readonly CompressionOptions Compression = new() { ErrorBudget = 0.01, Choices = [Half] };

    [Test]
    public void Revise_chooses_the_encoding_anew_for_what_the_link_has_become()
    {
        AgentEntry entry = Create(new Link { BytesPerSecond = 1e9 }, Compression);
        Assert.That(entry.Encoding, Is.EqualTo(ActivationEncoding.None));
        entry.Revise(entry.Link with { BytesPerSecond = 10e6 });
        Assert.That(entry.Encoding, Is.EqualTo(ActivationEncoding.Float16));
        Assert.That(entry.Link.SecondsPerByte, Is.EqualTo((0.5 / 10e6) + 2e-9).Within(1e-15));
        entry.Revise(entry.Link with { BytesPerSecond = 1e9 });
        Assert.That(entry.Encoding, Is.EqualTo(ActivationEncoding.None));
    }

    [Test]
    public void Revise_keeps_a_stated_encoding_and_chooses_none_without_options()
    {
        AgentEntry stated = Create(new Link { BytesPerSecond = 10e6, Compression = Half }, Compression), plain = Create(new Link { BytesPerSecond = 1e9 }, null);
        stated.Revise(stated.Link with { BytesPerSecond = 1e9 });
        plain.Revise(plain.Link with { BytesPerSecond = 10e6 });
        Assert.That((stated.Encoding, plain.Encoding), Is.EqualTo((ActivationEncoding.Float16, ActivationEncoding.None)));
    }

    private static AgentEntry Create(Link link, CompressionOptions? compression)
    {
        var device = new Device { Id = "one" };
        return new AgentEntry(
            new EdgeAgent("one", new FakePartitionRuntime()), new AgentDescription { Device = device, Runtime = "fake", ExecutionProvider = "CPU" }, link, compression);
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Text.RegularExpressions;
using EdgeSplit.Compression;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport.Tests.Wire;

/// <summary>The examples of docs/wire-format.md are what the code writes, and the code reads them.</summary>
public sealed partial class VectorTests
{
    private static readonly Guid RequestId = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly TensorPart Part = new("x", TensorElementType.Float, new TensorShape(1, 2), 8);

    private static readonly Dictionary<string, byte[]> Vectors = new()
    {
        ["preamble"] = Preamble16(),
        ["ping"] = Value(FrameType.Ping, 1),
        ["credit"] = Value(FrameType.Credit, 65_536),
        ["cancel"] = Frame(new FramePrefix(FrameType.Cancel, 7, 0, 0), [], []),
        ["request"] = Request(),
        ["response"] = Response(),
        ["data"] = Frame(new FramePrefix(FrameType.Data, 7, 0, 2, 3), [], [0, 0, 0, 0x20, 0x40]),
        ["failure"] = Failure(),
        ["encoded"] = Encoded(),
        ["steps"] = Steps(),
        ["strings"] = Strings(),
        ["proof"] = new JoinToken("0123456789abcdef").Prove("EdgeSplit 1 connector", new byte[32]),
    };

    [Test]
    public void Document_examples_are_what_the_code_writes()
    {
        string document = File.ReadAllText(Path.Combine(Root(), "docs", "wire-format.md"));
        Dictionary<string, string> examples = Example().Matches(document).ToDictionary(
            static match => match.Groups["name"].Value, static match => Whitespace().Replace(match.Groups["hex"].Value, ""));

        Assert.Multiple(() =>
        {
            foreach ((string name, byte[] bytes) in Vectors)
                Assert.That(examples.GetValueOrDefault(name), Is.EqualTo(Convert.ToHexStringLower(bytes)), name);
            Assert.That(examples.Keys, Is.EquivalentTo(Vectors.Keys));
        });
    }

    [Test]
    public void Read_request_example_gives_what_was_written()
    {
        var bytes = new ReadOnlySequence<byte>(Vectors["request"]);
        FramePrefix prefix = FramePrefix.Read(bytes, 4096);

        MessageHead head = MessageHead.ReadRequest(bytes.Slice(FramePrefix.ByteCount, prefix.HeaderBytes), 4096);

        Assert.That(prefix.StreamId, Is.EqualTo(7));
        Assert.That(head.Payload, Is.EqualTo(new ExecuteCall(RequestId, "p")));
        Assert.That(head.TimeLimit, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(head.Tensors, Is.EqualTo([Part]));
        Assert.That(bytes.Length, Is.EqualTo(FramePrefix.ByteCount + prefix.HeaderBytes + prefix.BodyBytes));
    }

    [Test]
    public void Read_strings_example_gives_what_was_written() => Assert.That(
        StringTensorCodec.Decode(new TensorShape(2), Vectors["strings"]).Strings, Is.EqualTo(["", "zwölf"]));

    private static byte[] Preamble16()
    {
        byte[] bytes = new byte[Preamble.ByteCount];
        Preamble.Own.Write(bytes);
        return bytes;
    }

    private static byte[] Value(FrameType type, ulong value)
    {
        byte[] header = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(header, value);
        return Frame(new FramePrefix(type, 0, header.Length, 0), header, []);
    }

    private static byte[] Request()
    {
        var header = new ArrayBufferWriter<byte>();
        new MessageHead(new ExecuteCall(RequestId, "p"), [Part], TimeSpan.FromSeconds(1)).WriteRequest(header);
        return Frame(new FramePrefix(FrameType.Request, 7, header.WrittenCount, 8), header.WrittenSpan, [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]);
    }

    private static byte[] Response()
    {
        var header = new ArrayBufferWriter<byte>();
        new MessageHead(new ExecuteReply(TimeSpan.FromMilliseconds(3), TimeSpan.FromMilliseconds(1)), [Part]).WriteResponse(header);
        // The rest of the body follows in the Data frame of the example below.
        return Frame(new FramePrefix(FrameType.Response, 7, header.WrittenCount, 6), header.WrittenSpan, [0, 0, 0x80, 0x3F, 0, 0]);
    }

    private static byte[] Failure()
    {
        var header = new ArrayBufferWriter<byte>();
        new FailureHead(EdgeSplitError.NotFound, "Partition 'p' is not loaded.").Write(header);
        return Frame(new FramePrefix(FrameType.Failure, 7, header.WrittenCount, 0), header.WrittenSpan, []);
    }

    private static byte[] Encoded()
    {
        var header = new ArrayBufferWriter<byte>();
        var part = new TensorPart("x", TensorElementType.Float, new TensorShape(1, 64), 128, ActivationEncoding.Float16);
        new MessageHead(new ExecuteCall(RequestId, "p", ActivationEncoding.Float16), [part]).WriteRequest(header);
        return header.WrittenSpan.ToArray();
    }

    private static byte[] Steps()
    {
        byte[] bytes = new byte[24];
        int count = Compression.Internal.Int8Codec.Encode([-1, 0, 1, 4, 8, 8, 8, 8], 4, bytes);
        return bytes[..count];
    }

    private static byte[] Strings()
    {
        using Tensor tensor = Tensor.FromStrings(["", "zwölf"], new TensorShape(2));
        int byteCount = (int)StringTensorCodec.EncodedBytes(tensor);
        using IMemoryOwner<byte> encoded = StringTensorCodec.Encode(tensor, byteCount, TensorBufferPool.Shared);
        return encoded.Memory[..byteCount].ToArray();
    }

    private static byte[] Frame(FramePrefix prefix, ReadOnlySpan<byte> header, ReadOnlySpan<byte> paddingAndBody)
    {
        byte[] start = new byte[FramePrefix.ByteCount];
        prefix.Write(start);
        return [.. start, .. header, .. paddingAndBody];
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "EdgeSplit.sln")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run within the repository.");
    }

    [GeneratedRegex("```hex (?<name>[a-z]+)\n(?<hex>[^`]*)```")]
    private static partial Regex Example();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}

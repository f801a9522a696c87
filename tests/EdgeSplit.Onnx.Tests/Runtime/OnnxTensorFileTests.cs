using System.Text;
using CsCheck;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class OnnxTensorFileTests
{
    private static readonly TensorElementType[] ByteTypes =
        [.. Enum.GetValues<TensorElementType>().Where(static type => type.BitsPerElement() > 0)];

    private static readonly TensorElementType[] NumpyTypes =
    [
        TensorElementType.Bool, TensorElementType.Int8, TensorElementType.UInt8, TensorElementType.Int16, TensorElementType.UInt16,
        TensorElementType.Int32, TensorElementType.UInt32, TensorElementType.Int64, TensorElementType.UInt64, TensorElementType.Float16,
        TensorElementType.Float, TensorElementType.Double, TensorElementType.Complex64, TensorElementType.Complex128,
    ];

    [Test]
    public void Read_of_what_Write_wrote_as_proto_is_the_same([ValueSource(nameof(ByteTypes))] TensorElementType type) => RoundTrip(".pb", type, new TensorShape(2, 3));

    [Test]
    public void Read_of_what_Write_wrote_as_numpy_is_the_same([ValueSource(nameof(NumpyTypes))] TensorElementType type) => RoundTrip(".npy", type, new TensorShape(2, 3));

    [TestCase(".pb")]
    [TestCase(".npy")]
    public void Read_of_what_Write_wrote_has_any_shape(string ending) =>
        Gen.Long[0, 4].Array[0, 6].Sample(sizes => RoundTrip(ending, TensorElementType.Int32, new TensorShape(sizes)), iter: 50, threads: 1);

    [TestCase(".pb")]
    [TestCase(".npy")]
    public void Read_of_written_strings_is_the_same(string ending)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "t" + ending);
        string[] texts = ["", "a", "größer", "日本語 🙂"];

        OnnxTensorFile.Write(path, Tensor.FromStrings(texts, new TensorShape(4)));

        Assert.That(OnnxTensorFile.Read(path).Strings, Is.EqualTo(texts));
    }

    [Test]
    public void Write_name_is_read_back()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "t.pb");

        OnnxTensorFile.Write(path, Tensor.Create<float>([1], new TensorShape(1)), "x");
        OnnxTensorFile.Read(path, out string name).Dispose();

        Assert.That(name, Is.EqualTo("x"));
    }

    [Test]
    public void Write_type_that_numpy_lacks_is_refused()
    {
        using var folder = new TemporaryFolder();
        using Tensor tensor = Tensor.Allocate(TensorElementType.BFloat16, new TensorShape(1), out _);

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => OnnxTensorFile.Write(Path.Combine(folder.Path, "t.npy"), tensor))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidArgument));
        Assert.That(exception.Message, Does.Contain("BFloat16").And.Contain(".pb"));
    }

    // Written by hand after NumPy's description of the format: column-major, so 1 4 / 2 5 / 3 6 by columns.
    [TestCase("{'descr': '<i2', 'fortran_order': True, 'shape': (3, 2), }", false)]
    [TestCase("{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2), }", true)]
    [TestCase("{\"shape\": (3L, 2L), \"fortran_order\": True, \"descr\": \"<i2\"}", false)]
    public void Read_numpy_fortran_order_is_turned_round(string header, bool isBigEndian)
    {
        byte[] elements = [.. new short[] { 1, 2, 3, 4, 5, 6 }.SelectMany(item => isBigEndian ? BitConverter.GetBytes(item).Reverse() : BitConverter.GetBytes(item))];

        using Tensor tensor = ReadBytes(".npy", Numpy(1, header, elements));

        Assert.That(tensor.AsSpan<short>().ToArray(), Is.EqualTo(new short[] { 1, 4, 2, 5, 3, 6 }));
    }

    [TestCase(2)]
    [TestCase(3)]
    public void Read_numpy_later_formats_are_known(int version)
    {
        using Tensor tensor = ReadBytes(".npy", Numpy(version, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", [7]));

        Assert.That(tensor.ToString(), Is.EqualTo("UInt8 []"));
        Assert.That(tensor.Bytes.ToArray(), Is.EqualTo(new byte[] { 7 }));
    }

    [TestCase("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")]
    [TestCase("{'descr': [('a', '<i2')], 'fortran_order': False, 'shape': (1,), }")]
    [TestCase("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,), }")]
    [TestCase("{'descr': '<i2', 'fortran_order': False, 'shape': (4611686018427387904, 4), }")]
    [TestCase("{'descr': '<i2', 'fortran_order': False, 'shape': (1000000000000,), }")]
    [TestCase("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }")]
    [TestCase("{'descr': '<i2', 'fortran_order': Maybe, 'shape': (1,), }")]
    [TestCase("{'descr': '<i2', 'shape': (1,), }")]
    [TestCase("{'descr': '<U99999999', 'fortran_order': False, 'shape': (1,), }")]
    [TestCase("")]
    public void Read_numpy_of_another_kind_is_refused(string header)
    {
        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => ReadBytes(".npy", Numpy(1, header, [1, 2])))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
    }

    [Test]
    public void Read_proto_elements_in_typed_fields_are_known()
    {
        var half = new TensorProto { DataType = (int)TensorElementType.Float16, Dims = { 2 }, Int32Data = { 0x3C00, 0xC000 } };
        var unsigned = new TensorProto { DataType = (int)TensorElementType.UInt32, Dims = { 1 }, Uint64Data = { 4_000_000_000 } };
        var packed = new TensorProto { DataType = (int)TensorElementType.Int4, Dims = { 3 }, Int32Data = { 0x21, 0x03 } };

        Assert.That(ReadBytes(".pb", half.ToByteArray()).AsSpan<Half>().ToArray(), Is.EqualTo(new[] { (Half)1, (Half)(-2) }));
        Assert.That(ReadBytes(".pb", unsigned.ToByteArray()).AsSpan<uint>().ToArray(), Is.EqualTo(new[] { 4_000_000_000u }));
        Assert.That(ReadBytes(".pb", packed.ToByteArray()).Bytes.ToArray(), Is.EqualTo(new byte[] { 0x21, 0x03 }));
    }

    [Test]
    public void Read_proto_that_refers_to_another_file_is_refused()
    {
        var proto = new TensorProto { DataType = 1, Dims = { 1 }, DataLocation = TensorProto.Types.DataLocation.External };

        Assert.That(() => ReadBytes(".pb", proto.ToByteArray()), Throws.InstanceOf<EdgeSplitException>().With.Message.Contains("another file"));
    }

    [TestCase(1, new long[] { 3 })]
    [TestCase(1, new long[] { -1 })]
    [TestCase(1, new long[] { long.MaxValue })]
    [TestCase(0, new long[] { 1 })]
    [TestCase(999, new long[] { 1 })]
    public void Read_proto_whose_elements_do_not_fit_is_refused(int type, long[] dimensions)
    {
        var proto = new TensorProto { DataType = type, RawData = ByteString.CopyFrom(1, 2, 3, 4) };
        proto.Dims.AddRange(dimensions);

        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => ReadBytes(".pb", proto.ToByteArray()))!;

        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
    }

    [Test]
    public void Read_damaged_bytes_are_refused_or_read_but_never_crash()
    {
        byte[] numpy = Numpy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", new byte[16]);
        byte[] proto = new TensorProto { DataType = 1, Dims = { 4 }, RawData = ByteString.CopyFrom(new byte[16]) }.ToByteArray();

        Gen.Select(Gen.Bool, Gen.Int[0, 120], Gen.Byte, Gen.Int[0, 120]).Sample((isNumpy, position, value, length) =>
        {
            byte[] content = [.. (isNumpy ? numpy : proto).Take(length)];
            if (position < content.Length)
                content[position] = value;
            try
            {
                ReadBytes(isNumpy ? ".npy" : ".pb", content).Dispose();
            }
            catch (EdgeSplitException exception)
            {
                Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.InvalidInput));
            }
        }, iter: 500, threads: 1);
    }

    [Test]
    public void Read_missing_file_is_not_found() =>
        Assert.That(Assert.Throws<EdgeSplitException>(static () => OnnxTensorFile.Read("/no/such/tensor.npy"))!.Error, Is.EqualTo(EdgeSplitError.NotFound));

    [Test]
    public void Read_other_ending_is_refused() =>
        Assert.That(Assert.Throws<EdgeSplitException>(static () => OnnxTensorFile.Read("tensor.txt"))!.Message, Does.Contain(".npy"));

    [Test]
    public void Read_shipped_test_data_fits_the_model()
    {
        string folder = TestData.Require("models", "super-resolution-10");
        string file = Directory.GetFiles(folder, "input_0.pb", SearchOption.AllDirectories)[0];

        using Tensor tensor = OnnxTensorFile.Read(file);

        Assert.That(tensor.ToString(), Is.EqualTo("Float [1, 1, 224, 224]"));
    }

    private static void RoundTrip(string ending, TensorElementType type, TensorShape shape)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "t" + ending);
        using Tensor written = Tensor.Allocate(type, shape, out Memory<byte> content);
        new Random(1).NextBytes(content.Span);

        OnnxTensorFile.Write(path, written);
        using Tensor read = OnnxTensorFile.Read(path);

        Assert.That(read.ElementType, Is.EqualTo(type));
        Assert.That(read.Shape, Is.EqualTo(shape));
        Assert.That(read.Bytes.Span.SequenceEqual(written.Bytes.Span), Is.True);
    }

    private static Tensor ReadBytes(string ending, byte[] content)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "t" + ending);
        File.WriteAllBytes(path, content);
        return OnnxTensorFile.Read(path);
    }

    private static byte[] Numpy(int version, string header, byte[] elements)
    {
        byte[] text = Encoding.UTF8.GetBytes(header + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, (byte)version, 0, .. length, .. text, .. elements];
    }
}

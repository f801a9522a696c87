using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Tests.Runtime;

public sealed class RandomTensorsTests
{
    [Test]
    public void ForInputs_same_seed_gives_the_same_whatever_the_order()
    {
        TensorInfo a = Info("a", TensorElementType.Float, new Dimension(4)), b = Info("b", TensorElementType.Float, new Dimension(4));

        IReadOnlyDictionary<string, Tensor> first = RandomTensors.ForInputs([a, b], seed: 3), second = RandomTensors.ForInputs([b, a], seed: 3);
        IReadOnlyDictionary<string, Tensor> other = RandomTensors.ForInputs([a], seed: 4);

        Assert.That(second["a"].Bytes.ToArray(), Is.EqualTo(first["a"].Bytes.ToArray()));
        Assert.That(first["b"].Bytes.ToArray(), Is.Not.EqualTo(first["a"].Bytes.ToArray()));
        Assert.That(other["a"].Bytes.ToArray(), Is.Not.EqualTo(first["a"].Bytes.ToArray()));
    }

    [Test]
    public void ForInputs_symbols_take_the_given_or_the_usual_size()
    {
        TensorInfo image = Info("x", TensorElementType.Float, new Dimension(null, "batch"), new Dimension(3), new Dimension(null, "h"), new Dimension(null));

        Tensor tensor = RandomTensors.ForInputs([image], sizes: new Dictionary<string, long> { ["h"] = 32 })["x"];

        Assert.That(tensor.Shape, Is.EqualTo(new TensorShape(1, 3, 32, 224)));
    }

    [Test]
    public void ForInputs_a_symbol_has_one_size_wherever_it_stands()
    {
        TensorInfo square = Info("x", TensorElementType.Float, new Dimension(null, "n"), new Dimension(null, "n"));
        TensorInfo last = Info("y", TensorElementType.Float, new Dimension(2), new Dimension(null, "n"));

        IReadOnlyDictionary<string, Tensor> tensors = RandomTensors.ForInputs([square, last]);

        Assert.That(tensors["x"].Shape, Is.EqualTo(new TensorShape(1, 1)));
        Assert.That(tensors["y"].Shape, Is.EqualTo(new TensorShape(2, 1)));
    }

    [Test]
    public void ForInputs_whole_numbers_suit_their_names()
    {
        Dimension length = new(6);
        Tensor Of(string name) => RandomTensors.ForInputs([Info(name, TensorElementType.Int64, new Dimension(2), length)])[name];

        Assert.That(Of("attention_mask").AsSpan<long>().ToArray(), Is.All.EqualTo(1));
        Assert.That(Of("token_type_ids").AsSpan<long>().ToArray(), Is.All.InRange(0, 1));
        Assert.That(Of("position_ids").AsSpan<long>().ToArray(), Is.EqualTo(new long[] { 0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5 }));
        Assert.That(Of("input_ids").AsSpan<long>().ToArray(), Is.All.InRange(0, 9));
    }

    [Test]
    public void ForInputs_every_element_type_is_made([Values] TensorElementType type)
    {
        if (type is TensorElementType.Undefined)
        {
            Assert.That(() => RandomTensors.ForInputs([Info("x", type)]), Throws.InstanceOf<EdgeSplitException>());
            return;
        }
        Tensor tensor = RandomTensors.ForInputs([Info("x", type, new Dimension(3), new Dimension(5))])["x"];

        Assert.That(tensor.ElementType, Is.EqualTo(type));
        Assert.That(tensor.Shape, Is.EqualTo(new TensorShape(3, 5)));
    }

    [Test]
    public void ForInputs_floats_of_any_width_are_within_the_unit_interval()
    {
        Tensor Of(TensorElementType type) => RandomTensors.ForInputs([Info("x", type, new Dimension(1000))])["x"];

        Assert.That(Of(TensorElementType.Float).AsSpan<float>().ToArray(), Is.All.InRange(0f, 1f));
        Assert.That(Of(TensorElementType.Float16).AsSpan<Half>().ToArray().Select(static item => (float)item), Is.All.InRange(0f, 1f));
        Assert.That(Of(TensorElementType.BFloat16).AsSpan<ushort>().ToArray().Select(static item => BitConverter.UInt32BitsToSingle((uint)item << 16)), Is.All.InRange(0f, 1f));
    }

    private static TensorInfo Info(string name, TensorElementType type, params Dimension[] dimensions) => new(name, type, [.. dimensions]);
}

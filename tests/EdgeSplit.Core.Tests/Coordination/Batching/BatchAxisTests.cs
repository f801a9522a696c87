using System.Collections.Immutable;
using EdgeSplit.Coordination.Batching.Internal;
using EdgeSplit.Tensors;

namespace EdgeSplit.Tests.Coordination.Batching;

public sealed class BatchAxisTests
{
    private static readonly Dimension Batch = new(null, "batch");
    private static readonly Dimension Eight = new(8);

    [Test]
    public void WhyNot_first_dimensions_of_one_name_is_nothing() =>
        Assert.That(BatchAxis.WhyNot([Info("x", Batch, Eight), Info("mask", Batch)], [Info("y", Batch, new Dimension(null, "sequence"))]), Is.Null);

    [TestCaseSource(nameof(Others))]
    public void WhyNot_anything_else_is_told(TensorInfo input, TensorInfo output) =>
        Assert.That(BatchAxis.WhyNot([Info("x", Batch, Eight), input], [output]), Does.Contain("'"));

    [Test]
    public void ShapeOf_requests_that_differ_in_rows_alone_is_equal()
    {
        ImmutableArray<TensorInfo> infos = [Info("x", Batch, new Dimension(null, "length")), Info("mask", Batch)];
        BatchShape? one = ShapeOf(infos, 1, 5), two = ShapeOf(infos, 2, 5), longer = ShapeOf(infos, 1, 6);

        Assert.That(one, Is.EqualTo(two));
        Assert.That(one, Is.Not.EqualTo(longer));
        Assert.That(ShapeOf(infos, 0, 5), Is.Null);
        Assert.That(BatchAxis.ShapeOf(infos, new Dictionary<string, Tensor> { ["x"] = Zeros(2, 5), ["mask"] = Zeros(1) }, out _), Is.Null);
    }

    private static IEnumerable<TestCaseData> Others() =>
    [
        new TestCaseData(Info("fixed", Eight), Info("y", Batch)).SetArgDisplayNames("fixed input"),
        new TestCaseData(Info("z", Batch), Info("y", Eight)).SetArgDisplayNames("fixed output"),
        new TestCaseData(Info("z", Batch), Info("scalar")).SetArgDisplayNames("scalar output"),
        new TestCaseData(Info("z", new Dimension(null)), Info("y", Batch)).SetArgDisplayNames("input without a name"),
        new TestCaseData(Info("z", Batch), Info("y", new Dimension(null, "tokens"))).SetArgDisplayNames("output of another name"),
        new TestCaseData(Info("z", Batch, Batch), Info("y", Batch)).SetArgDisplayNames("the batch twice"),
        new TestCaseData(Info("z", Batch), new TensorInfo("y", TensorElementType.Float, default)).SetArgDisplayNames("output of unknown rank"),
        new TestCaseData(new TensorInfo("z", TensorElementType.UInt4, [Batch]), Info("y", Batch)).SetArgDisplayNames("elements below a byte"),
    ];

    private static BatchShape? ShapeOf(ImmutableArray<TensorInfo> infos, int rows, int length) =>
        BatchAxis.ShapeOf(infos, new Dictionary<string, Tensor> { ["x"] = Zeros(rows, length), ["mask"] = Zeros(rows) }, out _);

    private static TensorInfo Info(string name, params Dimension[] dimensions) => new(name, TensorElementType.Float, [.. dimensions]);

    private static Tensor Zeros(params long[] sizes)
    {
        var shape = new TensorShape(sizes);
        return Tensor.Wrap(TensorElementType.Float, shape, new byte[4 * shape.ElementCount]);
    }
}

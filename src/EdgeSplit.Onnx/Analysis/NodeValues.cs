using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>A node with the shapes of its inputs and outputs at hand.</summary>
internal sealed class NodeValues(NodeProto node, Func<string, TensorInfo?> info)
{
    /// <summary>The operator's name, its domain left out.</summary>
    public string Operator => node.OpType;

    /// <summary>The sizes of an input; unknown sizes are 1, an absent input or unknown rank is empty.</summary>
    public ImmutableArray<long> Input(int index) => Sizes(node.Input, index);

    /// <summary>The sizes of an output, like <see cref="Input"/>.</summary>
    public ImmutableArray<long> Output(int index) => Sizes(node.Output, index);

    /// <summary>Whether an input is given and its rank known.</summary>
    public bool HasInput(int index) => Info(node.Input, index) is { Dimensions.IsDefault: false };

    /// <summary>The elements of an input; 0 where unknown or absent.</summary>
    public double InputElements(int index) => Elements(Info(node.Input, index));

    /// <summary>The elements of an output; 0 where unknown or absent.</summary>
    public double OutputElements(int index) => Elements(Info(node.Output, index));

    /// <summary>The elements of the largest of the inputs and outputs.</summary>
    public double LargestElements =>
        Enumerable.Range(0, node.Input.Count).Select(InputElements).Concat(Enumerable.Range(0, node.Output.Count).Select(OutputElements)).DefaultIfEmpty().Max();

    /// <summary>The number of outputs.</summary>
    public int OutputCount => node.Output.Count;

    /// <summary>The number of inputs.</summary>
    public int InputCount => node.Input.Count;

    /// <summary>An integer attribute.</summary>
    public long Attribute(string name, long absent) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name) is { HasI: true } found ? found.I : absent;

    /// <summary>The product of an attribute's integers; 1 where the attribute is absent.</summary>
    public double AttributeProduct(string name) =>
        node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.Ints.Aggregate(1.0, static (product, item) => product * item) ?? 1;

    /// <summary>A text attribute.</summary>
    public string? AttributeText(string name) => node.Attribute.FirstOrDefault(attribute => attribute.Name == name)?.S?.ToStringUtf8();

    /// <summary>The bytes of a value; 0 where its shape is unknown.</summary>
    public static long ByteCount(TensorInfo? value) => (long)(Elements(value) * (value?.ElementType.BitsPerElement() ?? 0) / 8);

    private ImmutableArray<long> Sizes(IList<string> names, int index) =>
        Info(names, index) is { Dimensions.IsDefault: false } known ? [.. known.Dimensions.Select(static dimension => dimension.Size ?? 1)] : [];

    private TensorInfo? Info(IList<string> names, int index) => index < names.Count && names[index].Length > 0 ? info(names[index]) : null;

    private static double Elements(TensorInfo? value) =>
        value is { Dimensions.IsDefault: false } ? value.Dimensions.Aggregate(1.0, static (product, dimension) => product * (dimension.Size ?? 1)) : 0;
}

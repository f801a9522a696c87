using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Reading;

/// <summary>Finds the tensors in a model, and says how large they are.</summary>
internal static class TensorProtos
{
    /// <summary>All tensors of a model, in initializers and attributes, at every depth.</summary>
    public static IEnumerable<TensorProto> All(ModelProto model)
    {
        IEnumerable<TensorProto> inGraph = model.Graph is { } graph ? All(graph) : [];
        return inGraph.Concat(model.Functions.SelectMany(All));
    }

    /// <summary>All tensors in a function, at every depth.</summary>
    public static IEnumerable<TensorProto> All(FunctionProto function) =>
        function.Node.SelectMany(All).Concat(function.AttributeProto.SelectMany(All));

    /// <summary>All tensors in a node's attributes, at every depth.</summary>
    public static IEnumerable<TensorProto> All(NodeProto node) => node.Attribute.SelectMany(All);

    /// <summary>The bytes of a tensor's elements as raw data; 0 for strings.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>: the type or the dimensions are absurd.</exception>
    public static long ByteCount(TensorProto tensor, string model)
    {
        var type = (TensorElementType)tensor.DataType;
        if (!Enum.IsDefined(type) || type == TensorElementType.Undefined)
            throw Invalid(tensor, model, $"has element type {tensor.DataType}, which ONNX does not define");
        try
        {
            return type.ByteCount(new TensorShape([.. tensor.Dims]).ElementCount);
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            throw Invalid(tensor, model, $"has the impossible shape [{string.Join(", ", tensor.Dims.Take(8))}]");
        }
    }

    public static EdgeSplitException Invalid(TensorProto tensor, string model, string what) =>
        new(EdgeSplitError.InvalidModel, $"Tensor '{tensor.Name}' of '{model}' {what}.");

    private static IEnumerable<TensorProto> All(GraphProto graph) =>
        graph.Initializer
            .Concat(graph.SparseInitializer.SelectMany(All))
            .Concat(graph.Node.SelectMany(All));

    private static IEnumerable<TensorProto> All(AttributeProto attribute)
    {
        IEnumerable<TensorProto> tensors = attribute.Tensors;
        if (attribute.T is { } tensor)
            tensors = tensors.Prepend(tensor);
        if (attribute.SparseTensor is { } sparse)
            tensors = tensors.Concat(All(sparse));
        if (attribute.G is { } graph)
            tensors = tensors.Concat(All(graph));
        return tensors.Concat(attribute.SparseTensors.SelectMany(All)).Concat(attribute.Graphs.SelectMany(All));
    }

    private static IEnumerable<TensorProto> All(SparseTensorProto sparse)
    {
        if (sparse.Values is { } values)
            yield return values;
        if (sparse.Indices is { } indices)
            yield return indices;
    }
}

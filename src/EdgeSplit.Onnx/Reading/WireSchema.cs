namespace EdgeSplit.Onnx.Reading;

/// <summary>The messages of the format on the way from the model to its tensors.</summary>
internal enum WireMessage
{
    None,
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    Function,
}

/// <summary>Which field of which message may hold tensors, and the field numbers of a tensor's data (see onnx.proto).</summary>
internal static class WireSchema
{
    public const int VarintType = 0;
    public const int Fixed64Type = 1;
    public const int LengthType = 2;
    public const int Fixed32Type = 5;

    public const int TensorDataType = 2;
    public const int TensorFloatData = 4;
    public const int TensorRawData = 9;
    public const int TensorDoubleData = 10;
    public const int TensorDataLocation = 14;

    /// <summary>The message in a field, where tensors may be inside it.</summary>
    public static WireMessage Child(WireMessage parent, int field) => (parent, field) switch
    {
        (WireMessage.Model, 7) => WireMessage.Graph,
        (WireMessage.Model, 25) => WireMessage.Function,
        (WireMessage.Graph, 1) or (WireMessage.Function, 7) => WireMessage.Node,
        (WireMessage.Graph, 5) or (WireMessage.Attribute, 5 or 10) or (WireMessage.SparseTensor, 1 or 2) => WireMessage.Tensor,
        (WireMessage.Graph, 15) or (WireMessage.Attribute, 22 or 23) => WireMessage.SparseTensor,
        (WireMessage.Node, 5) or (WireMessage.Function, 11) => WireMessage.Attribute,
        (WireMessage.Attribute, 6 or 11) => WireMessage.Graph,
        _ => WireMessage.None,
    };
}

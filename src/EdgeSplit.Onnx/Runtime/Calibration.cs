using EdgeSplit.Devices;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>Measures the rates that ONNX Runtime reaches on this device, by running small models of one kind of work each.</summary>
internal static class Calibration
{
    private const int ChainLength = 200;
    private const int MemoryChainLength = 4;
    private const long SmallestMemoryBytes = 16 << 20;
    private const long LargestMemoryBytes = 128 << 20;

    /// <summary>Of the memory there is, the part that a tensor of the measurement may take; about four are alive at a time.</summary>
    private const int MemoryShare = 16;

    private static readonly TimeSpan TimeForEach = TimeSpan.FromMilliseconds(150);

    /// <summary>Measures; takes about half a second. The id is empty.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Device Measure(OnnxPartitionRuntime runtime, CancellationToken cancellationToken)
    {
        // Layers of an encoder and of a residual network. The rate over both in sequence weighs each by its time.
        double productSeconds = TypicalSeconds(runtime, Product(128, 768, 768), [128, 768], cancellationToken);
        double convolutionSeconds = TypicalSeconds(runtime, Convolution(64, 28), [1, 64, 28, 28], cancellationToken);
        double operations = (2.0 * 128 * 768 * 768) + (2.0 * 64 * 28 * 28 * 64 * 9);

        long memoryElements = MemoryElements();
        double memorySeconds = TypicalSeconds(runtime, Chain(memoryElements, MemoryChainLength), [memoryElements], cancellationToken);
        double chainSeconds = TypicalSeconds(runtime, Chain(1, ChainLength), [1], cancellationToken);
        return new Device
        {
            Id = "",
            FlopsPerSecond = operations / (productSeconds + convolutionSeconds),
            MemoryBytesPerSecond = 2.0 * MemoryChainLength * memoryElements * sizeof(float) / memorySeconds,
            LayerOverheadSeconds = chainSeconds / ChainLength,
            MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            Origin = CostOrigin.Calibrated,
        };
    }

    /// <summary>A tensor twice as large as the last cache: what is measured is memory.</summary>
    private static long MemoryElements()
    {
        long affordable = Math.Max(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MemoryShare, SmallestMemoryBytes);
        return Math.Clamp(2 * ProcessorCaches.LargestBytes, SmallestMemoryBytes, Math.Min(LargestMemoryBytes, affordable)) / sizeof(float);
    }

    private static double TypicalSeconds(OnnxPartitionRuntime runtime, ModelProto model, long[] inputShape, CancellationToken cancellationToken)
    {
        // An arena of its own, and no pooled buffer: what is measured with is large and must not stay with the process.
        using OrtSession session = runtime.CreateSession(model.ToByteArray(), ".", adjust: null, cancellationToken, sharesArena: false);
        using var executor = new OnnxPartitionExecutor(model.Graph.Name, session);
        var shape = new TensorShape(inputShape);
        using Tensor input = Tensor.FromOwner(TensorElementType.Float, shape, new NativeBuffer(checked((int)shape.ElementCount * sizeof(float))));
        var inputs = new Dictionary<string, Tensor> { ["x"] = input };
        return RunTimes.TypicalSeconds(executor, inputs, TimeForEach, cancellationToken);
    }

    private static ModelProto Product(long rows, long inner, long columns) =>
        OneInput("product", [rows, inner], [new NodeProto { OpType = "MatMul", Input = { "x", "w" }, Output = { "y" } }], Zeros("w", inner, columns));

    private static ModelProto Convolution(long channels, long side)
    {
        var node = new NodeProto { OpType = "Conv", Input = { "x", "w" }, Output = { "y" } };
        node.Attribute.Add(new AttributeProto { Name = "pads", Type = AttributeProto.Types.AttributeType.Ints, Ints = { 1, 1, 1, 1 } });
        return OneInput("convolution", [1, channels, side, side], [node], Zeros("w", channels, channels, 3, 3));
    }

    /// <summary>Nodes in a row that ONNX Runtime has no rewriting for.</summary>
    private static ModelProto Chain(long elements, int length) => OneInput(
        "chain",
        [elements],
        [.. Enumerable.Range(0, length).Select(i => new NodeProto
        {
            OpType = i % 2 == 0 ? "Neg" : "Abs",
            Input = { i == 0 ? "x" : $"v{i}" },
            Output = { i == length - 1 ? "y" : $"v{i + 1}" },
        })]);

    private static ModelProto OneInput(string name, long[] inputShape, NodeProto[] nodes, params TensorProto[] weights)
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = name } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 13 });
        var shape = new TensorShapeProto();
        shape.Dim.AddRange(inputShape.Select(static size => new TensorShapeProto.Types.Dimension { DimValue = size }));
        model.Graph.Input.Add(new ValueInfoProto { Name = "x", Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorElementType.Float, Shape = shape } } });
        model.Graph.Output.Add(new ValueInfoProto { Name = "y" });
        model.Graph.Node.AddRange(nodes);
        model.Graph.Initializer.AddRange(weights);
        return model;
    }

    private static TensorProto Zeros(string name, params long[] dimensions)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)TensorElementType.Float };
        tensor.Dims.AddRange(dimensions);
        tensor.RawData = ByteString.CopyFrom(new byte[new TensorShape(dimensions).ElementCount * sizeof(float)]);
        return tensor;
    }
}

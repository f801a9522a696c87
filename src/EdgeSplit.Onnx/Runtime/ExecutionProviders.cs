using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>The execution provider that works on this machine, out of those preferred.</summary>
/// <param name="Name">The provider's name; <see cref="Cpu"/> where no preferred one works.</param>
/// <param name="Unavailable">For each provider tried in vain, its name and why.</param>
internal sealed record ExecutionProviders(string Name, ImmutableArray<string> Unavailable)
{
    public const string Cpu = "CPU";

    /// <summary>Tries the preferred providers in turn by loading a small model with each.</summary>
    public static ExecutionProviders Probe(ImmutableArray<string> preferred)
    {
        var unavailable = ImmutableArray.CreateBuilder<string>();
        foreach (string name in preferred)
        {
            if (name.Equals(Cpu, StringComparison.OrdinalIgnoreCase))
                break;
            string? problem = Try(name);
            if (problem is null)
                return new ExecutionProviders(name, unavailable.ToImmutable());
            unavailable.Add($"{name}: {problem}");
        }
        return new ExecutionProviders(Cpu, unavailable.ToImmutable());
    }

    /// <summary>Puts a provider before the CPU in a session's options.</summary>
    public static void Append(SessionOptions options, string name)
    {
        switch (name.ToUpperInvariant())
        {
            case "CPU":
                break;
            case "CUDA":
                options.AppendExecutionProvider_CUDA();
                break;
            case "TENSORRT":
                options.AppendExecutionProvider_Tensorrt();
                break;
            case "DML":
                options.AppendExecutionProvider_DML();
                break;
            case "COREML":
                options.AppendExecutionProvider_CoreML();
                break;
            case "OPENVINO":
                options.AppendExecutionProvider_OpenVINO();
                break;
            case "ROCM":
                options.AppendExecutionProvider_ROCm();
                break;
            case "MIGRAPHX":
                options.AppendExecutionProvider_MIGraphX();
                break;
            case "NNAPI":
                options.AppendExecutionProvider_Nnapi();
                break;
            default:
                options.AppendExecutionProvider(name);
                break;
        }
    }

    /// <summary>Returns why a provider cannot be used, or null.</summary>
    private static string? Try(string name)
    {
        _ = OrtNative.Environment;
        try
        {
            using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            Append(options, name);
            using var session = new InferenceSession(SmallModel().ToByteArray(), options);
            // Being accepted proves little: a provider whose hardware is missing may leave the work to the CPU.
            string? used = session.GetEpDeviceForInputs().FirstOrDefault()?.EpName;
            return used is null || used.StartsWith(name, StringComparison.OrdinalIgnoreCase)
                ? null
                : $"accepted, but {used} took the work";
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or NotSupportedException || OrtNative.IsMissingLibrary(exception))
        {
            return exception.Message;
        }
    }

    private static ModelProto SmallModel()
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "probe" } };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 13 });
        model.Graph.Input.Add(Matrix("x"));
        model.Graph.Output.Add(Matrix("y"));
        model.Graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { "x", "x" }, Output = { "y" } });
        return model;

        static ValueInfoProto Matrix(string name)
        {
            var shape = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 4 }, new TensorShapeProto.Types.Dimension { DimValue = 4 } } };
            return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorElementType.Float, Shape = shape } } };
        }
    }
}

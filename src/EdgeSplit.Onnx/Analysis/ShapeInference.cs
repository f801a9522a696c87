using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Analysis;

/// <summary>
/// Types and shapes of a model's values as ONNX Runtime infers them: every value of the main graph becomes an untyped
/// output, the model is loaded with basic optimisation (which folds the constants that shapes depend on), and the outputs'
/// types are read back. Nothing is run and no large weight is read.
/// </summary>
internal static class ShapeInference
{
    /// <inheritdoc cref="Infer(ModelProto, string, IReadOnlyDictionary{string, long}, out string?, CancellationToken)"/>
    public static IReadOnlyDictionary<string, TensorInfo> Infer(
        ModelProto skeleton, string modelFolder, IReadOnlyDictionary<string, long> freeDimensions, CancellationToken cancellationToken) =>
        Infer(skeleton, modelFolder, freeDimensions, out _, cancellationToken);

    /// <summary>Infers types and shapes of the inputs, initializers, intermediates and outputs of the main graph.</summary>
    /// <param name="skeleton">The model, which is not changed. Weights may be external data.</param>
    /// <param name="modelFolder">The folder that external data refers to.</param>
    /// <param name="freeDimensions">Sizes for symbolic dimensions by name.</param>
    /// <param name="rejection">Why ONNX Runtime rejects the model, or null: then only what the model itself says is known.</param>
    /// <param name="cancellationToken">Stops between attempts.</param>
    /// <returns>
    /// The values by name. What is no tensor has the element type <see cref="TensorElementType.Undefined"/>; a value of which
    /// nothing is known is missing.
    /// </returns>
    /// <exception cref="EdgeSplitException">There is no native ONNX Runtime.</exception>
    public static IReadOnlyDictionary<string, TensorInfo> Infer(
        ModelProto skeleton,
        string modelFolder,
        IReadOnlyDictionary<string, long> freeDimensions,
        out string? rejection,
        CancellationToken cancellationToken)
    {
        Dictionary<string, TensorInfo> known = DeclaredTypes.Of(skeleton.Graph, freeDimensions);
        // A kernel that insists on a constant weight rejects the model without weights, so that is only the first attempt.
        ImmutableArray<OrtSessionValue> inferred =
            TryInfer(ShapeModel.Build(skeleton, keepWeights: false), modelFolder, freeDimensions, out rejection, cancellationToken)
            ?? TryInfer(ShapeModel.Build(skeleton, keepWeights: true), modelFolder, freeDimensions, out rejection, cancellationToken)
            ?? [];
        foreach (OrtSessionValue value in inferred)
        {
            TensorInfo info = value.Info;
            known[info.Name] = value.Kind is OrtValueKind.Tensor && known.TryGetValue(info.Name, out TensorInfo? declared)
                ? DeclaredTypes.FillGaps(info, declared)
                : info;
        }
        return known;
    }

    private static ImmutableArray<OrtSessionValue>? TryInfer(
        ModelProto model, string modelFolder, IReadOnlyDictionary<string, long> freeDimensions, out string? rejection, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            _ = OrtNative.Environment;
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
                IntraOpNumThreads = 1,
            };
            options.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", Path.GetFullPath(modelFolder));
            options.AddSessionConfigEntry("session.disable_prepacking", "1");
            foreach ((string name, long size) in freeDimensions)
                options.AddFreeDimensionOverrideByName(name, size);
            using OrtSession session = OrtSession.Create(model.ToByteArray(), options);
            rejection = null;
            return [.. session.Inputs, .. session.Outputs];
        }
        catch (Exception exception) when (exception is OrtFailure or OnnxRuntimeException or InvalidOperationException)
        {
            // InvalidOperationException: protobuf cannot serialise beyond 2 GB, which takes constants of that size inside nodes.
            rejection = exception.Message;
            return null;
        }
    }
}

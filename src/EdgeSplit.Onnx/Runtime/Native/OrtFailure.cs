namespace EdgeSplit.Onnx.Runtime.Native;

/// <summary>A failure that ONNX Runtime reported. Never leaves the assembly: callers say which model and what to do.</summary>
internal sealed class OrtFailure(OrtErrorCode code, string message) : Exception(message)
{
    public OrtErrorCode Code { get; } = code;

    /// <summary>What a model that failed to load for this reason is.</summary>
    public EdgeSplitError LoadError => Code is OrtErrorCode.InvalidProtobuf or OrtErrorCode.InvalidGraph or OrtErrorCode.NoModel or OrtErrorCode.NoSuchFile
        ? EdgeSplitError.InvalidModel
        : EdgeSplitError.UnsupportedModel;
}

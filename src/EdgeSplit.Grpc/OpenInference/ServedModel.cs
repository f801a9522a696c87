using System.Globalization;
using EdgeSplit.Coordination;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>One version of a model.</summary>
internal sealed record ServedModel(string Name, int Version, Deployment Deployment)
{
    public const string Platform = "onnxruntime_onnx";

    public string VersionText => Version.ToString(CultureInfo.InvariantCulture);
}

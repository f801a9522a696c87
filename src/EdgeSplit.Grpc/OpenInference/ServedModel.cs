using System.Globalization;
using EdgeSplit.Coordination;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>One version of a model.</summary>
internal sealed record ServedModel(string Name, int Version, Deployment Deployment)
{
    public const string Platform = "onnxruntime_onnx";

    /// <summary>Whether a request would be run now: agents may be lost that the plan needs, and no other plan be possible yet.</summary>
    public bool IsReady => Deployment.IsServing;

    /// <summary>The state in the words of the repository's index.</summary>
    public string State => IsReady ? "READY" : "UNAVAILABLE";

    /// <summary>Why the model is not ready; empty while it is.</summary>
    public string Reason => IsReady ? "" : "Agents are lost that its plan needs, and the others cannot run it.";

    public string VersionText => Version.ToString(CultureInfo.InvariantCulture);
}

namespace EdgeSplit.Onnx.Graphs;

/// <summary>The domains that operators come from.</summary>
internal static class OperatorDomains
{
    public const string Onnx = "";
    public const string MachineLearning = "ai.onnx.ml";
    public const string Microsoft = "com.microsoft";

    /// <summary>One spelling for each domain: the default domain has two.</summary>
    public static string Normalize(string domain) => domain == "ai.onnx" ? Onnx : domain;
}

namespace EdgeSplit.Onnx.Runtime;

/// <summary>How far ONNX Runtime rewrites a partition when it loads it.</summary>
public enum GraphOptimization
{
    /// <summary>Not at all: a split model then gives bit for bit what the unsplit one gives.</summary>
    Off,

    /// <summary>Constants are folded and redundant nodes removed.</summary>
    Basic,

    /// <summary>Operators are fused and memory layouts chosen for this processor.</summary>
    All,
}

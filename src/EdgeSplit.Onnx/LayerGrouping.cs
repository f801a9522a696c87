namespace EdgeSplit.Onnx;

/// <summary>How the operators of a model are put together to layers, the smallest things that a plan can place.</summary>
public enum LayerGrouping
{
    /// <summary>Operators that should stay together, because ONNX Runtime fuses them or a cut between them costs time, are one layer.</summary>
    Fused = 0,

    /// <summary>Each operator is a layer of its own, unless it cannot be separated from another.</summary>
    Operators = 1,
}

namespace EdgeSplit.Onnx.Analysis;

/// <summary>What one run of a node is estimated to take.</summary>
/// <param name="FloatOperations">Arithmetic operations, a multiply-add counting 2; integer arithmetic counts alike.</param>
/// <param name="TrafficBytes">Bytes of activations read and written, weights not counted.</param>
internal readonly record struct NodeCost(double FloatOperations, long TrafficBytes);

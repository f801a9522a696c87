namespace EdgeSplit.Onnx.Verification;

/// <summary>How an output of a split model differs from that of the unsplit one.</summary>
/// <param name="Name">The output.</param>
/// <param name="IsBitExact">Whether the outputs are the same in every bit, type, shape and structure included.</param>
/// <param name="LargestAbsolute">
/// The largest absolute difference of two elements; infinity where the values are not comparable (another shape or type,
/// another string, a number against NaN).
/// </param>
/// <param name="LargestRelative">The largest difference of two elements divided by the largest magnitude in the unsplit output.</param>
public sealed record OutputDifference(string Name, bool IsBitExact, double LargestAbsolute, double LargestRelative);

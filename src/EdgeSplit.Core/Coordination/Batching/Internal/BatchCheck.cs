using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Batching.Internal;

/// <summary>Compares what a request gets by itself with what it got in a joined run.</summary>
internal static class BatchCheck
{
    /// <summary>
    /// Of the largest number that differs. Kernels add up in another order for more rows, so that numbers differ in their last digits, in
    /// deep models more; rows that depend on each other differ as the requests do.
    /// </summary>
    private const double Tolerance = 1e-3;

    /// <summary>Whether requests differ, without which nothing can be said of whether they change each other's results.</summary>
    public static bool HaveDifferentInputs(IReadOnlyList<BatchedRequest> requests) => requests[0].Inputs.Any(
        input => requests.Skip(1).Any(other => !AreEqual(input.Value, other.Inputs[input.Key])));

    /// <summary>The name of an output that differs; null where none does.</summary>
    public static string? FindDifference(IReadOnlyDictionary<string, Tensor> alone, IReadOnlyDictionary<string, Tensor> joined)
    {
        foreach ((string name, Tensor tensor) in alone)
        {
            if (!joined.TryGetValue(name, out Tensor? other) || tensor.Shape != other.Shape || !IsClose(tensor, other))
                return name;
        }
        return null;
    }

    private static bool IsClose(Tensor left, Tensor right) => left.ElementType switch
    {
        TensorElementType.Float => IsClose(left.AsSpan<float>(), right.AsSpan<float>(), static value => value),
        TensorElementType.Double => IsClose(left.AsSpan<double>(), right.AsSpan<double>(), static value => value),
        TensorElementType.Float16 => IsClose(left.AsSpan<Half>(), right.AsSpan<Half>(), static value => (double)value),
        _ => AreEqual(left, right),
    };

    private static bool IsClose<T>(ReadOnlySpan<T> left, ReadOnlySpan<T> right, Func<T, double> read)
        where T : unmanaged
    {
        double largest = 0, difference = 0;
        for (int i = 0; i < left.Length; i++)
        {
            double a = read(left[i]), b = read(right[i]);
            if (a.Equals(b))
                continue;
            largest = Math.Max(largest, Math.Abs(a));
            difference = Math.Max(difference, Math.Abs(a - b));
            if (double.IsNaN(difference))
                return false;
        }
        // What is equal does not raise the scale, which is stricter where most is.
        return difference <= Tolerance * largest;
    }

    private static bool AreEqual(Tensor left, Tensor right) => left.ElementType == TensorElementType.String
        ? left.Strings.SequenceEqual(right.Strings)
        : left.Bytes.Span.SequenceEqual(right.Bytes.Span);
}

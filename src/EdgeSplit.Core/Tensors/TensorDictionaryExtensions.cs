namespace EdgeSplit.Tensors;

internal static class TensorDictionaryExtensions
{
    /// <summary>Disposes of all tensors; allocates nothing where the dictionary is a <see cref="Dictionary{TKey, TValue}"/>, which most are.</summary>
    public static void DisposeTensors(this IReadOnlyDictionary<string, Tensor> tensors)
    {
        if (tensors is Dictionary<string, Tensor> dictionary)
        {
            // Not of Values, which is an object.
            foreach ((_, Tensor tensor) in dictionary)
                tensor.Dispose();
            return;
        }
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }
}

using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Internal;

/// <summary>Checks a request's inputs against what the model says of them, before anything is sent.</summary>
internal sealed class InputChecker(string modelName, ImmutableArray<TensorInfo> expected)
{
    public void Check(IReadOnlyDictionary<string, Tensor> inputs)
    {
        foreach (TensorInfo info in expected)
        {
            if (!inputs.TryGetValue(info.Name, out Tensor? tensor) || tensor is null)
                throw Invalid($"the input '{info.Name}' ({info}) is missing");
            if (info.ElementType != TensorElementType.Undefined && tensor.ElementType != info.ElementType)
                throw Invalid($"the input '{info.Name}' is {tensor}; the model expects {info}");
            if (!info.Dimensions.IsDefault)
                CheckShape(info, tensor);
        }
        if (inputs.Count == expected.Length)
            return;
        foreach (string name in inputs.Keys)
        {
            if (!expected.Any(info => info.Name == name))
                throw Invalid($"there is no input '{name}'; the model's inputs are {string.Join(", ", expected.Select(static info => $"'{info.Name}'"))}");
        }
    }

    private void CheckShape(TensorInfo info, Tensor tensor)
    {
        ImmutableArray<long> given = tensor.Shape.Dimensions;
        if (given.Length != info.Dimensions.Length)
            throw Invalid($"the input '{info.Name}' is {tensor}, of rank {given.Length}; the model expects {info}, of rank {info.Dimensions.Length}");
        for (int i = 0; i < given.Length; i++)
        {
            if (info.Dimensions[i].Size is long size && given[i] != size)
                throw Invalid($"the input '{info.Name}' is {tensor}; the model expects {info}: dimension {i} is {given[i]}, not {size}");
        }
    }

    private EdgeSplitException Invalid(string what) => new(EdgeSplitError.InvalidInput, $"Model '{modelName}': {what}.");
}

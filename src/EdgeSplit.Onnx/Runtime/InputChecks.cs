using System.Collections.Immutable;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Checks a partition's inputs before they reach ONNX Runtime, which says less of what is wrong and accepts unequal sizes
/// for one symbolic dimension.
/// </summary>
internal static class InputChecks
{
    /// <summary>Throws where the given tensors are not what the partition takes.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/>.</exception>
    public static void Require(string owner, ImmutableArray<OrtSessionValue> required, ImmutableArray<OrtSessionValue> optional, IReadOnlyDictionary<string, Tensor> given)
    {
        int matched = 0;
        Dictionary<string, (long Size, string Input)>? symbols = null;
        foreach (OrtSessionValue input in required)
        {
            if (!given.TryGetValue(input.Info.Name, out Tensor? tensor))
                throw Invalid($"The input '{input.Info.Name}' ({input.Info}) of {owner} was not given; {Names(given)}.");
            matched++;
            RequireOne(owner, input.Info, tensor, ref symbols);
        }
        foreach (OrtSessionValue input in optional)
        {
            if (!given.TryGetValue(input.Info.Name, out Tensor? tensor))
                continue;
            matched++;
            RequireOne(owner, input.Info, tensor, ref symbols);
        }
        if (matched == given.Count)
            return;
        var known = required.Concat(optional).Select(static input => input.Info.Name).ToHashSet();
        string unknown = given.Keys.First(name => !known.Contains(name));
        throw Invalid($"There is no input '{unknown}' of {owner}; its inputs are {Quoted(known)}.");
    }

    private static void RequireOne(string owner, TensorInfo expected, Tensor given, ref Dictionary<string, (long Size, string Input)>? symbols)
    {
        if (given.ElementType != expected.ElementType)
            throw Invalid($"The input '{expected.Name}' of {owner} is {expected.ElementType}, but {given} was given.");
        if (expected.Dimensions.IsDefault)
            return;
        ImmutableArray<long> sizes = given.Shape.Dimensions;
        if (sizes.Length != expected.Dimensions.Length)
            throw Invalid($"The input '{expected.Name}' of {owner} has {expected.Dimensions.Length} dimensions ({expected}), but {given} was given.");
        for (int i = 0; i < sizes.Length; i++)
        {
            Dimension dimension = expected.Dimensions[i];
            if (dimension.Size is { } size && size != sizes[i])
                throw Invalid($"The input '{expected.Name}' of {owner} is {expected}, but {given} was given: dimension {i} is {sizes[i]}, not {size}.");
            if (dimension.Symbol is not { } symbol)
                continue;
            symbols ??= [];
            if (!symbols.TryAdd(symbol, (sizes[i], expected.Name)) && symbols[symbol].Size != sizes[i])
            {
                throw Invalid($"The dimension '{symbol}' of {owner} is {symbols[symbol].Size} in the input '{symbols[symbol].Input}' "
                    + $"and {sizes[i]} in '{expected.Name}' ({expected}, given {given}); it must be the same in all inputs.");
            }
        }
    }

    private static string Names(IReadOnlyDictionary<string, Tensor> given) => given.Count == 0 ? "no input was" : $"given: {Quoted(given.Keys)}";

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(static name => $"'{name}'"));

    private static EdgeSplitException Invalid(string message) => new(EdgeSplitError.InvalidInput, message);
}

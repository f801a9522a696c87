using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Verification;

/// <summary>
/// Runs parts at whose cuts values of element types stand that the C# API of ONNX Runtime lacks (8-bit floats, 4-bit
/// integers): such values are kept as tensors of ours.
/// </summary>
internal sealed class NativeParts(SplitVerifierOptions options, string blobFolder)
{
    private readonly OnnxPartitionRuntime _runtime = new(new OnnxRuntimeOptions
    {
        IntraOpThreads = options.Threads,
        Optimization = options.Optimize ? GraphOptimization.All : GraphOptimization.Off,
    });

    /// <summary>Whether a part has such values at its cuts.</summary>
    public static bool Needs(ModelPartition part) => part.Inputs.Concat(part.Outputs).Any(static info => IsForeign(info.ElementType));

    /// <summary>Runs a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="values">The values so far; those that the C# API can hold are added.</param>
    /// <param name="foreign">The values that it cannot hold; the part's are added.</param>
    /// <param name="cancellationToken">Stops the run.</param>
    public void Run(ModelPartition part, Dictionary<string, OrtValue?> values, Dictionary<string, Tensor> foreign, CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (TensorInfo input in part.Inputs)
        {
            if (foreign.TryGetValue(input.Name, out Tensor? tensor))
                inputs.Add(input.Name, tensor);
            else if (values.GetValueOrDefault(input.Name) is { } value)
                inputs.Add(input.Name, OrtValues.ToTensor(value));
        }
        using IPartitionExecutor executor = _runtime.LoadAsync(part, blobFolder, isUrgent: false, cancellationToken).AsTask().GetAwaiter().GetResult();
        foreach ((string name, Tensor output) in executor.Execute(inputs, cancellationToken))
        {
            if (IsForeign(output.ElementType))
            {
                foreign.Add(name, output);
                continue;
            }
            using (output)
                values.Add(name, OrtValues.Create(output));
        }
    }

    private static bool IsForeign(TensorElementType type) => type > TensorElementType.BFloat16;
}

using EdgeSplit.Tensors;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>
/// Runs a partition once before it serves: the first run of a session plans its memory, takes it from the system, and touches the
/// weights for the first time, which a request would else wait for.
/// </summary>
internal static class WarmUp
{
    // More than an activation has; what is larger costs more than the first request gains.
    private const long MostBytes = 256 << 20;

    // A loop whose end depends on what it is given may never come to it with zeros.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>Runs it, where its inputs can be guessed.</summary>
    /// <exception cref="OperationCanceledException">The load was stopped.</exception>
    public static void Run(OnnxPartitionExecutor executor, CancellationToken cancellationToken)
    {
        var inputs = new Dictionary<string, Tensor>();
        try
        {
            foreach (TensorInfo input in executor.RequiredInputs)
            {
                if (Zeros(input) is not { } zeros)
                    return;
                inputs.Add(input.Name, zeros);
            }
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Longest);
            executor.Execute(inputs, limit.Token).DisposeTensors();
        }
        catch (EdgeSplitException)
        {
            // Zeros are nothing that it takes; a request will tell what is.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // What it did until then is done.
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    /// <summary>A tensor of zeros; null where its shape is not known. Memory of its own, which goes back to the system.</summary>
    private static Tensor? Zeros(TensorInfo input)
    {
        if (input.Dimensions.IsDefault || input.ElementType.BitsPerElement() == 0)
            return null;
        var sizes = new long[input.Dimensions.Length];
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            // A batch of one is always right; any other size is a guess that memory would be taken for.
            if (input.Dimensions[axis].Size is not { } size)
            {
                if (axis > 0)
                    return null;
                size = 1;
            }
            sizes[axis] = size;
        }
        var shape = new TensorShape(sizes);
        long bytes = input.ElementType.ByteCount(shape.ElementCount);
        return bytes > MostBytes ? null : Tensor.FromOwner(input.ElementType, shape, new NativeBuffer(checked((int)bytes)));
    }
}

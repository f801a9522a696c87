using System.Buffers;
using EdgeSplit.Agents;
using EdgeSplit.Onnx.Runtime.Native;
using EdgeSplit.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>A partition, or a whole model, loaded into ONNX Runtime. Tensors pass in both directions without a copy, strings excepted.</summary>
/// <param name="owner">What is loaded, for messages, such as <c>partition 12ab</c>.</param>
/// <param name="session">The session; disposed of with this.</param>
internal sealed class OnnxPartitionExecutor(string owner, OrtSession session) : IPartitionExecutor
{
    /// <summary>The inputs that must be given.</summary>
    public IEnumerable<TensorInfo> RequiredInputs => session.Inputs.Select(static input => input.Info);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ObjectDisposedException.ThrowIf(session.IsClosed, this);
        InputChecks.Require(owner, session.Inputs, session.OptionalInputs, inputs);
        cancellationToken.ThrowIfCancellationRequested();

        int count = session.Inputs.Length + session.OptionalInputs.Length;
        nint[] values = new nint[count], elements = new nint[count], results = new nint[session.Outputs.Length];
        var pins = new MemoryHandle[count];
        try
        {
            for (int i = 0; i < count; i++)
            {
                OrtSessionValue input = i < session.Inputs.Length ? session.Inputs[i] : session.OptionalInputs[i - session.Inputs.Length];
                if (inputs.TryGetValue(input.Info.Name, out Tensor? tensor))
                    values[i] = OrtTensors.Lend(tensor, out pins[i], out elements[i]);
            }
            Run(values, results, cancellationToken);
            return TakeOutputs(results, elements);
        }
        catch (OrtFailure failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new EdgeSplitException(EdgeSplitError.ExecutionFailed, $"Running {owner} failed: {failure.Message}", failure);
        }
        finally
        {
            for (int i = 0; i < count; i++)
            {
                OrtNative.ReleaseValue(values[i]);
                pins[i].Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    private void Run(nint[] inputs, nint[] outputs, CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled)
        {
            session.Run(null, inputs, outputs);
            return;
        }
        using var options = new RunOptions();
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(static state => ((RunOptions)state!).Terminate = true, options);
        session.Run(options, inputs, outputs);
    }

    private Dictionary<string, Tensor> TakeOutputs(nint[] results, nint[] borrowed)
    {
        var outputs = new Dictionary<string, Tensor>(results.Length);
        try
        {
            for (int i = 0; i < results.Length; i++)
            {
                nint value = results[i];
                results[i] = 0;
                outputs.Add(session.Outputs[i].Info.Name, OrtTensors.Take(value, borrowed));
            }
            return outputs;
        }
        catch
        {
            foreach (nint value in results)
                OrtNative.ReleaseValue(value);
            outputs.DisposeTensors();
            throw;
        }
    }
}

using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>A partition that is ready to run.</summary>
/// <remarks>Thread-safe. Disposal waits for nothing: the owner first lets running calls end.</remarks>
public interface IPartitionExecutor : IDisposable
{
    /// <summary>Runs the partition on the calling thread.</summary>
    /// <param name="inputs">The inputs by name; borrowed until the call returns.</param>
    /// <param name="cancellationToken">Stops the run as soon as the runtime can.</param>
    /// <returns>The outputs by name, which belong to the caller.</returns>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidInput"/> or <see cref="EdgeSplitError.ExecutionFailed"/>.</exception>
    IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken);
}

using EdgeSplit.Tensors;

namespace EdgeSplit.Agents.Internal;

/// <summary>An executor that keeps its weights in the store until it is disposed of.</summary>
internal sealed class HoldingExecutor(IPartitionExecutor executor, IDisposable weights) : IPartitionExecutor
{
    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Execute(IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken) =>
        executor.Execute(inputs, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        executor.Dispose();
        weights.Dispose();
    }
}

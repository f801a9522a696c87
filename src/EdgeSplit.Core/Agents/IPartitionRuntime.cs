using EdgeSplit.Devices;
using EdgeSplit.Models;

namespace EdgeSplit.Agents;

/// <summary>Makes partitions of one model format executable.</summary>
/// <remarks>Implementations are thread-safe.</remarks>
public interface IPartitionRuntime
{
    /// <summary>The runtime and its version, such as <c>onnxruntime 1.31.1</c>.</summary>
    string Name { get; }

    /// <summary>The execution provider in use, such as <c>CPU</c> or <c>CUDA</c>.</summary>
    string ExecutionProvider { get; }

    /// <summary>Measures the peak rates of this device under this runtime, in about a second; the id is left to the agent.</summary>
    ValueTask<Device> CalibrateAsync(CancellationToken cancellationToken);

    /// <summary>Builds an executor.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="blobFolder">The folder that holds each of the partition's blobs as a file named by its hash, all checked.</param>
    /// <param name="isUrgent">Whether requests wait for it, so that it need not give way to what runs, nor be made ready for later loads.</param>
    /// <param name="cancellationToken">Stops the load.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/> or <see cref="EdgeSplitError.UnsupportedModel"/>.</exception>
    ValueTask<IPartitionExecutor> LoadAsync(ModelPartition partition, string blobFolder, bool isUrgent, CancellationToken cancellationToken);
}

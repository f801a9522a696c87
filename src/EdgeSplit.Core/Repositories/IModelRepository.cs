using EdgeSplit.Models;
using EdgeSplit.Storage;

namespace EdgeSplit.Repositories;

/// <summary>Holds base models, the partitions made from them, and weights by content hash.</summary>
/// <remarks>Implementations are thread-safe. What a completed call stored survives the end of the process.</remarks>
public interface IModelRepository
{
    /// <summary>The weights.</summary>
    IBlobStore Blobs { get; }

    /// <summary>The base models, by name.</summary>
    IAsyncEnumerable<StoredModel> ListModelsAsync(CancellationToken cancellationToken);

    /// <summary>Copies a model file, with the external data that it refers to, into the repository.</summary>
    /// <param name="name">Letters, digits, <c>-</c>, <c>_</c> and <c>.</c>; a model of that name is replaced.</param>
    /// <param name="path">The model file.</param>
    /// <param name="externalFiles">Paths relative to the model's folder of the files that it refers to.</param>
    /// <param name="cancellationToken">Stops the copy; nothing is left behind.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>, <see cref="EdgeSplitError.InvalidArgument"/> or <see cref="EdgeSplitError.ResourceExhausted"/>.</exception>
    ValueTask<StoredModel> AddModelAsync(string name, string path, IReadOnlyCollection<string> externalFiles, CancellationToken cancellationToken);

    /// <summary>A base model.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>.</exception>
    ValueTask<StoredModel> GetModelAsync(string name, CancellationToken cancellationToken);

    /// <summary>Removes a base model and its partitions; blobs that nothing refers to any more go too.</summary>
    ValueTask RemoveModelAsync(string name, CancellationToken cancellationToken);

    /// <summary>Stores a partition of a model with its blobs.</summary>
    ValueTask AddPartitionAsync(string modelName, ModelPartition partition, IBlobSource blobs, CancellationToken cancellationToken);

    /// <summary>A stored partition.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>.</exception>
    ValueTask<ModelPartition> GetPartitionAsync(string modelName, string partitionId, CancellationToken cancellationToken);

    /// <summary>The deployments that a coordinator finds when it starts again, by the names of their models.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidModel"/>: one is damaged.</exception>
    IAsyncEnumerable<StoredDeployment> ListDeploymentsAsync(CancellationToken cancellationToken);

    /// <summary>Stores how a model is deployed, in place of what was stored before.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: there is no such model.</exception>
    ValueTask SetDeploymentAsync(StoredDeployment deployment, CancellationToken cancellationToken);

    /// <summary>Forgets how a model is deployed, if it is.</summary>
    ValueTask RemoveDeploymentAsync(string modelName, CancellationToken cancellationToken);
}

using System.Collections.Immutable;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Models;

/// <summary>An open model that parts can be taken from. Also the source of its weights' blobs.</summary>
/// <remarks>Thread-safe until disposed of.</remarks>
public interface ISplittableModel : IBlobSource, IDisposable
{
    /// <summary>The model as layers and activations.</summary>
    ModelGraph Graph { get; }

    /// <summary>The model's inputs, in the model's order.</summary>
    ImmutableArray<TensorInfo> Inputs { get; }

    /// <summary>The model's outputs, in the model's order.</summary>
    ImmutableArray<TensorInfo> Outputs { get; }

    /// <summary>Paths, relative to the model file's folder, of the files that the model refers to: what a copy of the model needs beside it.</summary>
    ImmutableArray<string> ExternalFiles => [];

    /// <summary>Takes the part that runs some layers, with the activations that enter and leave it as its inputs and outputs.</summary>
    /// <param name="layers">Indexes of layers that form a convex set: no path leaves the set and comes back.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>: the set is empty or not convex, or a value crosses that cannot travel.</exception>
    ModelPartition Extract(IReadOnlyCollection<int> layers);
}

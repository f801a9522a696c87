using System.Collections.Immutable;
using System.Text.Json;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Testing.Fakes;

/// <summary>Opens fake models: those given, by name, and files written by <see cref="FakeModel.Save"/>.</summary>
public sealed class FakeModelFormat(params FakeModel[] models) : IModelFormat
{
    private int _openModels;

    /// <inheritdoc/>
    public string Name => "fake";

    /// <summary>Models opened and not yet disposed of.</summary>
    public int OpenModels => _openModels;

    /// <inheritdoc/>
    public async ValueTask<ISplittableModel> OpenAsync(string path, CancellationToken cancellationToken)
    {
        FakeModel? model = models.FirstOrDefault(model => model.Graph.Name == path);
        if (model is null)
        {
            if (!File.Exists(path))
                throw new EdgeSplitException(EdgeSplitError.NotFound, $"There is no model file '{path}'.");
            byte[] bytes = await File.ReadAllBytesAsync(path, cancellationToken);
            try
            {
                model = new FakeModel(JsonSerializer.Deserialize<FakeModelFile>(bytes)!);
            }
            catch (JsonException exception)
            {
                throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{path}' is no fake model.", exception);
            }
        }
        Interlocked.Increment(ref _openModels);
        return new OpenModel(this, model);
    }

    private sealed class OpenModel(FakeModelFormat format, FakeModel model) : ISplittableModel
    {
        private int _disposed;

        public ModelGraph Graph => model.Graph;

        public ImmutableArray<TensorInfo> Inputs => model.Inputs;

        public ImmutableArray<TensorInfo> Outputs => model.Outputs;

        public ModelPartition Extract(IReadOnlyCollection<int> layers)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return model.Extract(layers);
        }

        public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_disposed != 0, this);
            return model.OpenBlobAsync(hash, cancellationToken);
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
                Interlocked.Decrement(ref format._openModels);
        }
    }
}

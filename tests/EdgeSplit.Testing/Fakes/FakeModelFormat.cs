using System.Text.Json;
using EdgeSplit.Models;

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
        return model.Open(() => Interlocked.Decrement(ref _openModels));
    }
}

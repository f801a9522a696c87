using EdgeSplit.Models;

namespace EdgeSplit.Onnx;

/// <summary>Opens ONNX models.</summary>
/// <param name="options">How models are opened; the defaults where null.</param>
public sealed class OnnxModelFormat(OnnxModelOptions? options = null) : IModelFormat
{
    /// <inheritdoc/>
    public string Name => "onnx";

    /// <inheritdoc/>
    public async ValueTask<ISplittableModel> OpenAsync(string path, CancellationToken cancellationToken) =>
        await Task.Run(() => OnnxModel.Open(path, options, cancellationToken), cancellationToken).ConfigureAwait(false);
}

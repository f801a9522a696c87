namespace EdgeSplit.Models;

/// <summary>Opens models of one file format.</summary>
/// <remarks>Implementations are thread-safe.</remarks>
public interface IModelFormat
{
    /// <summary>The format's name, such as <c>onnx</c>.</summary>
    string Name { get; }

    /// <summary>Opens a model file. The result refers to the file, which must stay in place until the result is disposed of.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>, <see cref="EdgeSplitError.InvalidModel"/>
    /// or <see cref="EdgeSplitError.UnsupportedModel"/>.</exception>
    ValueTask<ISplittableModel> OpenAsync(string path, CancellationToken cancellationToken);
}

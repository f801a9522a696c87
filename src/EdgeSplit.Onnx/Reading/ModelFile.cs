using EdgeSplit.Onnx.Format;

namespace EdgeSplit.Onnx.Reading;

/// <summary>An open model file: the model without its large data, and where those are.</summary>
internal sealed class ModelFile : IDisposable
{
    private readonly SourceFolder _folder;
    private readonly Dictionary<TensorProto, WeightData> _weights = new(ReferenceEqualityComparer.Instance);

    private ModelFile(SourceFolder folder, ModelProto model)
    {
        _folder = folder;
        Model = model;
    }

    /// <summary>The model; its large tensors are external data that point into <see cref="Path"/> or a file beside it.</summary>
    public ModelProto Model { get; }

    public string Path => _folder.ModelFile.Path;

    /// <summary>The tensors whose elements are kept outside of <see cref="Model"/> when it is split.</summary>
    public IReadOnlyDictionary<TensorProto, WeightData> Weights => _weights;

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/> or <see cref="EdgeSplitError.InvalidModel"/>.</exception>
    public static ModelFile Open(string path)
    {
        var folder = new SourceFolder(path);
        try
        {
            ModelProto model = SkeletonReader.Read(folder.ModelFile);
            if (model.Graph is null)
                throw new EdgeSplitException(EdgeSplitError.InvalidModel, $"'{path}' is not a valid ONNX model: it has no graph.");
            var file = new ModelFile(folder, model);
            foreach (TensorProto tensor in TensorProtos.All(model))
                file.Register(tensor);
            return file;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public void Dispose() => _folder.Dispose();

    private void Register(TensorProto tensor)
    {
        long byteCount = TensorProtos.ByteCount(tensor, Path);
        if (!ExternalData.IsExternal(tensor))
        {
            if (tensor.HasRawData && tensor.RawData.Length != byteCount)
                throw TensorProtos.Invalid(tensor, Path, $"has {tensor.RawData.Length} bytes of data where its type and shape need {byteCount}");
            if (byteCount > 0 && !tensor.HasRawData && tensor.FloatData.Count + tensor.DoubleData.Count + tensor.Int32Data.Count + tensor.Int64Data.Count + tensor.Uint64Data.Count == 0)
                throw TensorProtos.Invalid(tensor, Path, $"has no data where its type and shape need {byteCount} bytes");
            if (NumberLists.TryTakeRaw(tensor, byteCount, out ReadOnlyMemory<byte> raw))
                _weights.Add(tensor, new WeightData(raw));
            return;
        }
        if (tensor.DataType == (int)Tensors.TensorElementType.String || !ExternalData.TryRead(tensor, out ExternalData external))
            throw TensorProtos.Invalid(tensor, Path, "has external data without a usable location, offset and length");
        SourceFile source = _folder.Open(external.Location, tensor.Name);
        if (external.Length is { } length && length != byteCount)
            throw TensorProtos.Invalid(tensor, Path, $"has {length} bytes of data where its type and shape need {byteCount}");
        if (external.Offset > source.Length || byteCount > source.Length - external.Offset)
            throw TensorProtos.Invalid(tensor, Path, $"needs {byteCount} bytes at {external.Offset} of '{external.Location}', which has only {source.Length} bytes");
        _weights.Add(tensor, new WeightData(source, external.Offset, byteCount));
    }
}

using System.Collections.Immutable;
using EdgeSplit.Onnx.Format;
using Google.Protobuf;

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

    /// <summary>The other files, relative to the model's folder.</summary>
    public ImmutableArray<string> ExternalFiles => _folder.ExternalFiles;

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
            RegisterInline(tensor, byteCount);
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

    /// <summary>Checks data inside the model; large lists of numbers become raw data, so that they can be blobs.</summary>
    private void RegisterInline(TensorProto tensor, long byteCount)
    {
        if (byteCount == 0)
            return;
        ReadOnlyMemory<byte> raw = TensorElements.ToRaw(tensor, byteCount)
            ?? throw TensorProtos.Invalid(tensor, Path, $"does not have the {byteCount} bytes of data that its type and shape need");
        if (byteCount < SkeletonReader.ExternalThresholdBytes)
            return;
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.Int32Data.Clear();
        tensor.Int64Data.Clear();
        tensor.Uint64Data.Clear();
        tensor.RawData = UnsafeByteOperations.UnsafeWrap(raw);
        _weights.Add(tensor, new WeightData(raw));
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSplit.ModelZoo.Graphs;
using EdgeSplit.ModelZoo.Weights;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tensors;
using Google.Protobuf;

namespace EdgeSplit.ModelZoo.Writing;

/// <summary>
/// Writes a graph as an ONNX file, making each weight's values on their way into the file: memory stays at one buffer
/// and the skeleton, whatever the size of the model. (A message of Google.Protobuf would hold all weights at once.)
/// </summary>
internal sealed class ModelWriter(ZooGraph graph, int seed, IProgress<double>? progress, CancellationToken cancellationToken)
{
    private const int IrVersion = 8;
    private const int OperatorSet = 17;

    /// <summary>The page size of most systems, which the ONNX format recommends for data that is to be memory-mapped.</summary>
    private const int DataAlignmentBytes = 4096;

    /// <summary>Smaller weights stay in the model file; the default of the onnx package.</summary>
    private const int ExternalThresholdBytes = 1024;

    private readonly float[] _buffer = new float[1 << 18];
    private long _writtenBytes;

    /// <summary>Whether the model is too large for one file, which protobuf limits to 2 GiB.</summary>
    public static bool NeedsDataFile(ZooGraph graph) => graph.WeightBytes > int.MaxValue - (64L << 20);

    /// <summary>Writes a model with all of its weights in it.</summary>
    public void WriteWhole(string path)
    {
        using var model = new FileReplacement(path, graph.WeightBytes);
        WriteModel(model.Stream, static _ => null);
        model.Complete();
    }

    /// <summary>Writes a model whose larger weights are in <c>{path}.data</c>.</summary>
    public void WriteWithDataFile(string path)
    {
        string dataPath = $"{path}.data";
        Dictionary<WeightSpec, long> offsets = [];
        long dataBytes = 0;
        foreach (WeightSpec weight in graph.Weights.Where(static weight => weight.ByteCount >= ExternalThresholdBytes))
        {
            offsets[weight] = checked((dataBytes + DataAlignmentBytes - 1) / DataAlignmentBytes * DataAlignmentBytes);
            dataBytes = checked(offsets[weight] + weight.ByteCount);
        }

        using var data = new FileReplacement(dataPath, dataBytes);
        foreach ((WeightSpec weight, long offset) in offsets)
        {
            data.Stream.Position = offset;
            WriteValues(data.Stream, weight);
        }
        using var model = new FileReplacement(path, 0);
        string location = Path.GetFileName(dataPath);
        WriteModel(model.Stream, weight => offsets.TryGetValue(weight, out long offset) ? new ExternalPlace(location, offset) : null);
        data.Complete();
        model.Complete();
    }

    private void WriteModel(Stream stream, Func<WeightSpec, ExternalPlace?> placeOf)
    {
        byte[] skeleton = graph.Skeleton.ToByteArray();
        var initializers = graph.Weights.Select(weight => new Initializer(weight, placeOf(weight))).ToList();
        long graphBytes = skeleton.Length + initializers.Sum(static initializer => FieldBytes(initializer.ByteCount));

        stream.Write(new ModelProto { IrVersion = IrVersion, ProducerName = "EdgeSplit.ModelZoo" }.ToByteArray());
        WriteFieldStart(stream, ModelProto.GraphFieldNumber, graphBytes);
        stream.Write(skeleton);
        foreach (Initializer initializer in initializers)
        {
            WriteFieldStart(stream, GraphProto.InitializerFieldNumber, initializer.ByteCount);
            stream.Write(initializer.Header);
            if (!initializer.IsExternal)
            {
                WriteFieldStart(stream, TensorProto.RawDataFieldNumber, initializer.Weight.ByteCount);
                WriteValues(stream, initializer.Weight);
            }
        }
        stream.Write(new ModelProto { OpsetImport = { new OperatorSetIdProto { Domain = "", Version = OperatorSet } } }.ToByteArray());
    }

    private void WriteValues(Stream stream, WeightSpec weight)
    {
        var values = new SeededWeights(seed, weight);
        for (long first = 0; first < weight.ElementCount; first += _buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Span<float> chunk = _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, weight.ElementCount - first));
            values.Fill(chunk, first);
            stream.Write(MemoryMarshal.AsBytes(chunk));
        }
        _writtenBytes += weight.ByteCount;
        progress?.Report((double)_writtenBytes / graph.WeightBytes);
    }

    /// <summary>The bytes of a length-delimited field with its tag, which is one byte for all fields used here.</summary>
    private static long FieldBytes(long contentBytes) => 1 + CodedOutputStream.ComputeLengthSize(checked((int)contentBytes)) + contentBytes;

    private static void WriteFieldStart(Stream stream, int fieldNumber, long contentBytes)
    {
        using var coded = new CodedOutputStream(stream, bufferSize: 16, leaveOpen: true);
        coded.WriteTag(fieldNumber, WireFormat.WireType.LengthDelimited);
        coded.WriteLength(checked((int)contentBytes));
    }

    /// <summary>A stretch of the data file.</summary>
    private sealed record ExternalPlace(string Location, long Offset);

    /// <summary>A weight's <c>TensorProto</c>, but for the values that follow it where they are in the model file.</summary>
    private sealed class Initializer
    {
        public Initializer(WeightSpec weight, ExternalPlace? place)
        {
            Weight = weight;
            var tensor = new TensorProto { Name = weight.Name, DataType = (int)TensorElementType.Float };
            tensor.Dims.AddRange(weight.Dimensions);
            if (place is not null)
            {
                IsExternal = true;
                tensor.DataLocation = TensorProto.Types.DataLocation.External;
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = place.Location });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = place.Offset.ToString(CultureInfo.InvariantCulture) });
                tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = weight.ByteCount.ToString(CultureInfo.InvariantCulture) });
            }
            Header = tensor.ToByteArray();
            ByteCount = Header.Length + (IsExternal ? 0 : FieldBytes(weight.ByteCount));
        }

        public WeightSpec Weight { get; }

        public byte[] Header { get; }

        public bool IsExternal { get; }

        /// <summary>The whole message's length in the model file.</summary>
        public long ByteCount { get; }
    }
}

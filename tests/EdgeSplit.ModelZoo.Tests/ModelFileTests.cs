using System.Runtime.InteropServices;
using System.Security.Cryptography;
using EdgeSplit.ModelZoo.Weights;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tests;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>What is in the files, read back with an independent parser.</summary>
public sealed class ModelFileTests
{
    [Test]
    public void Write_wholeModel_holdsEachWeightOnceWithItsValues()
    {
        ZooEntry entry = Zoo.Get("mobilenetv2");
        using var folder = new TemporaryFolder();
        entry.Write(folder["model.onnx"], seed: 4);

        ModelProto model = Parse(folder["model.onnx"]);
        Assert.That(folder.FileNames(), Is.EqualTo(new[] { "model.onnx" }));
        Assert.That(model.IrVersion, Is.EqualTo(8));
        Assert.That(model.OpsetImport.Single().Version, Is.EqualTo(17));
        Assert.That(model.Graph.Initializer.Select(static tensor => tensor.Name), Is.EqualTo(entry.Graph.Weights.Select(static weight => weight.Name)));
        foreach ((TensorProto tensor, WeightSpec weight) in model.Graph.Initializer.Zip(entry.Graph.Weights))
        {
            Assert.That(tensor.Dims, Is.EqualTo(weight.Dimensions), weight.Name);
            Assert.That(MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray(), Is.EqualTo(Values(weight, seed: 4)), weight.Name);
        }
    }

    [Test]
    public void Write_externalModel_placesTheWeightsOnPagesOfTheDataFile()
    {
        ZooEntry entry = Zoo.LargeExternal(3_000_000);
        using var folder = new TemporaryFolder();
        entry.Write(folder["big.onnx"], seed: 4);

        Assert.That(folder.FileNames(), Is.EqualTo(new[] { "big.onnx", "big.onnx.data" }));
        byte[] data = File.ReadAllBytes(folder["big.onnx.data"]);
        long end = 0;
        foreach ((TensorProto tensor, WeightSpec weight) in Parse(folder["big.onnx"]).Graph.Initializer.Zip(entry.Graph.Weights))
        {
            bool external = tensor.DataLocation == TensorProto.Types.DataLocation.External;
            Assert.That(external, Is.EqualTo(weight.ByteCount >= 1024), weight.Name);
            if (!external)
                continue;
            var place = tensor.ExternalData.ToDictionary(static pair => pair.Key, static pair => pair.Value);
            int offset = int.Parse(place["offset"]), length = int.Parse(place["length"]);
            Assert.That(place["location"], Is.EqualTo("big.onnx.data"));
            Assert.That(offset % 4096, Is.Zero);
            Assert.That(offset, Is.InRange(end, end + 4095), "no overlap, and no gap but for the alignment");
            Assert.That(length, Is.EqualTo(weight.ByteCount));
            Assert.That(MemoryMarshal.Cast<byte, float>(data.AsSpan(offset, length)).ToArray(), Is.EqualTo(Values(weight, seed: 4)), weight.Name);
            end = offset + length;
        }
        Assert.That(data, Has.Length.EqualTo(end));
    }

    [Test]
    public void Write_seed_aloneDecidesTheBytes([Values("bert-tiny", "large-external")] string name)
    {
        ZooEntry Entry() => name == "large-external" ? Zoo.LargeExternal(1_000_000) : Zoo.Get(name);
        using var folder = new TemporaryFolder();
        byte[] first = Written(Entry(), 1), again = Written(Entry(), 1), other = Written(Entry(), 2);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));

        byte[] Written(ZooEntry entry, int seed)
        {
            entry.Write(folder["model.onnx"], seed);
            return [.. folder.FileNames().SelectMany(file => SHA256.HashData(File.ReadAllBytes(folder[file])))];
        }
    }

    [Test]
    public void Write_gptMini_sharesTheEmbeddingTableBetweenBothEnds()
    {
        IEnumerable<string> readers = Zoo.Get("gpt-mini").Graph.Skeleton.Node
            .Where(static node => node.Input.Contains("transformer.wte.weight")).Select(static node => node.OpType);
        Assert.That(readers, Is.EqualTo(new[] { "Gather", "Transpose" }));
    }

    [Test]
    public void Nodes_namesAndTensors_areThoseOfAnExporter()
    {
        GraphProto graph = Zoo.Get("resnet50").Graph.Skeleton;
        NodeProto node = graph.Node.Single(static node => node.Name == "/layer1/layer1.0/conv1/Conv");
        Assert.That(node.Input, Is.EqualTo(new[] { "/maxpool/MaxPool_output_0", "layer1.0.conv1.weight" }));
        Assert.That(node.Output, Is.EqualTo(new[] { "/layer1/layer1.0/conv1/Conv_output_0" }));
        Assert.That(graph.Node.Count(static node => node.Name.StartsWith("/layer1/layer1.0/relu/Relu")), Is.EqualTo(3));
        Assert.That(graph.Node.Select(static node => node.Name), Is.Unique);
    }

    private static ModelProto Parse(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));

    private static float[] Values(WeightSpec weight, int seed)
    {
        float[] values = new float[weight.ElementCount];
        new SeededWeights(seed, weight).Fill(values, 0);
        return values;
    }
}

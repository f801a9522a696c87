using System.Diagnostics;
using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Tests;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Fuzzing;

/// <summary>
/// Damaged models, made from real ones where they are there: opening and splitting them either works or ends in an
/// <see cref="EdgeSplitException"/>. EDGESPLIT_FUZZ_SECONDS sets the time, 10 by default.
/// </summary>
[NonParallelizable]
internal sealed class FuzzTests
{
    private const int LargestSeedBytes = 100_000;

    [Test]
    public void Open_and_split_damaged_models_never_fail_otherwise()
    {
        double seconds = double.TryParse(Environment.GetEnvironmentVariable("EDGESPLIT_FUZZ_SECONDS"), out double given) ? given : 10;
        int seed = int.TryParse(Environment.GetEnvironmentVariable("EDGESPLIT_FUZZ_SEED"), out int givenSeed) ? givenSeed : 1;
        List<byte[]> seeds = Seeds();
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        string path = folder["sub", "model.onnx"];
        Directory.CreateDirectory(folder["sub"]);
        int tried = 0, opened = 0;
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds; tried++)
        {
            byte[] mutant = Mutation.Of(seeds[random.Next(seeds.Count)], seeds[random.Next(seeds.Count)], random);
            File.WriteAllBytes(path, mutant);
            try
            {
                // ONNX Runtime itself is not under test here: it crashes on some damaged models.
                using OnnxModel model = OnnxModel.Open(path, new OnnxModelOptions { InferShapes = false, Grouping = (LayerGrouping)(tried & 1) });
                opened++;
                Split(model, random);
            }
            catch (EdgeSplitException exception) when (exception.Error is EdgeSplitError.InvalidModel or EdgeSplitError.IllegalCut)
            {
            }
            catch (Exception exception)
            {
                string kept = Path.Combine(Path.GetTempPath(), "edgesplit-fuzz-failure.onnx");
                File.Copy(path, kept, overwrite: true);
                Assert.Fail($"Mutant {tried} of seed {seed}, kept as {kept}: {exception}");
            }
        }
        Assert.That(Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories), Has.Length.EqualTo(2), "nothing else was written");
        Assert.That(opened, Is.GreaterThan(0));
        TestContext.Out.WriteLine($"{tried} damaged models tried, {opened} of them opened and were split");
    }

    private static void Split(OnnxModel model, Random random)
    {
        ModelGraph graph = model.Graph;
        if (graph.Layers.IsEmpty)
            return;
        model.Extract([.. Enumerable.Range(0, graph.Layers.Length)]);
        model.Extract([.. graph.Layers.Where(_ => random.Next(2) == 0).Select(static layer => layer.Index)]);
    }

    private static List<byte[]> Seeds()
    {
        List<byte[]> seeds = [BuiltSeed().ToByteArray()];
        if (!TestData.IsPresent)
            return seeds;
        seeds.AddRange(Directory.EnumerateFiles(TestData.Require("models"), "model.onnx", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(TestData.Require("backend"), "model.onnx", SearchOption.AllDirectories))
            .Where(static path => new FileInfo(path).Length is > 0 and < LargestSeedBytes).Order(StringComparer.Ordinal).Select(File.ReadAllBytes));
        return seeds;
    }

    private static ModelProto BuiltSeed() => Runtime.Proto.Model(
        [Runtime.Proto.Node("MatMul", ["x", "w"], ["a"]), Runtime.Proto.Node("Relu", ["a"], ["y"])],
        [Runtime.Proto.Value("x", Tensors.TensorElementType.Float, "1", "20")], [Runtime.Proto.Value("y", Tensors.TensorElementType.Float, "1", "20")],
        Runtime.Proto.RandomWeight("w", 1, 20, 20));
}

using EdgeSplit.Tensors;
using EdgeSplit.Tests;
using Microsoft.ML.OnnxRuntime;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>Every model in ONNX Runtime.</summary>
public sealed class ModelRunTests
{
    private static IEnumerable<ZooEntry> Entries => Zoo.Entries.Select(static entry => entry.Name == "large-external" ? Zoo.LargeExternal(4_000_000) : entry);

    internal static IEnumerable<TestCaseData> EntryCases => Entries.Select(static entry => new TestCaseData(entry).SetArgDisplayNames(entry.Name));

    [TestCaseSource(nameof(EntryCases))]
    public void Write_model_runsWithTheStatedShapesAndSensibleNumbers(ZooEntry entry)
    {
        using var folder = new TemporaryFolder();
        string path = folder[$"{entry.Name}.onnx"];
        entry.Write(path, seed: 1);
        using var session = new ModelSession(path);

        CheckMetadata(entry.Inputs, session.Inputs);
        CheckMetadata(entry.Outputs, session.Outputs);
        var first = session.Run(entry, seed: 1);
        var second = session.Run(entry, seed: 2);
        foreach (TensorInfo output in entry.Outputs)
        {
            (long[] shape, float[] values) = first[output.Name];
            Assert.That(shape, Is.EqualTo(ModelSession.ShapeOf(output, entry.TypicalDimensions)), output.Name);
            double deviation = StandardDeviation(values);
            double difference = StandardDeviation([.. values.Zip(second[output.Name].Values, static (a, b) => a - b)]);
            TestContext.Out.WriteLine($"{output.Name}: {deviation:G3}, between inputs {difference:G3}");
            Assert.That(values, Has.All.Matches<float>(float.IsFinite), output.Name);
            Assert.That(deviation, Is.InRange(1e-2, 1e2), $"{output.Name} is nearly constant, or explodes");
            Assert.That(difference, Is.GreaterThan(deviation * 1e-2), $"{output.Name} hardly depends on the input");
        }
    }

    private static void CheckMetadata(IEnumerable<TensorInfo> stated, IReadOnlyDictionary<string, NodeMetadata> actual)
    {
        Assert.That(actual.Keys, Is.EquivalentTo(stated.Select(static info => info.Name)));
        foreach (TensorInfo info in stated)
        {
            NodeMetadata metadata = actual[info.Name];
            Assert.That(metadata.ElementDataType, Is.EqualTo(ModelSession.ElementTypeOf(info)), info.Name);
            Assert.That(metadata.Dimensions, Is.EqualTo(info.Dimensions.Select(static dimension => dimension.Size ?? -1)), info.Name);
            Assert.That(metadata.SymbolicDimensions, Is.EqualTo(info.Dimensions.Select(static dimension => dimension.Symbol ?? "")), info.Name);
        }
    }

    private static double StandardDeviation(float[] values)
    {
        double mean = values.Average(static value => (double)value);
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}

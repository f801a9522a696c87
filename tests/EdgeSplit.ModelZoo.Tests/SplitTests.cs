using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tests;

namespace EdgeSplit.ModelZoo.Tests;

/// <summary>
/// Every model in parts: with optimisations off, the parts give the whole model's outputs bit for bit; with all of them,
/// ONNX Runtime may fuse and lay out differently at a cut, and nearly so.
/// </summary>
public sealed class SplitTests
{
    private const double OptimizedTolerance = 1e-4;

    private static readonly int[] StageCounts = [2, 3, 5];

    private static IEnumerable<TestCaseData> Entries => ModelRunTests.EntryCases;

    [TestCaseSource(nameof(Entries))]
    [CancelAfter(300_000)]
    public void Verify_stagesOfEqualWork_equalTheWhole(ZooEntry entry, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        entry.Write(folder["model.onnx"], seed: 1, cancellationToken: cancellationToken);
        using OnnxModel model = OnnxModel.Open(folder["model.onnx"], new OnnxModelOptions { FreeDimensions = entry.TypicalDimensions }, cancellationToken);
        var options = new SplitVerifierOptions { FreeDimensions = entry.TypicalDimensions };
        using (SplitVerifier optimized = SplitVerifier.Create(model, options with { Optimize = true }))
            Assert.That(optimized.Verify(Stages(model.Graph, 3), cancellationToken).LargestRelative, Is.LessThanOrEqualTo(OptimizedTolerance));

        using SplitVerifier verifier = SplitVerifier.Create(model, options);
        foreach (int count in StageCounts)
        {
            int[][] stages = [.. Stages(model.Graph, count)];
            Assert.That(stages, Has.Length.EqualTo(count));
            SplitComparison comparison = verifier.Verify(stages, cancellationToken);
            Assert.That(comparison.IsBitExact, Is.True, $"{count} stages differ by {comparison.LargestAbsolute}");
        }
    }

    /// <summary>Nothing but the model's own symbols says which sizes of its inputs fit each other.</summary>
    [Test]
    public void Verify_decoderWithoutSizes_findsInputsThatFit()
    {
        using var folder = new TemporaryFolder();
        Zoo.Get("gpt-mini").Write(folder["model.onnx"]);
        using OnnxModel model = OnnxModel.Open(folder["model.onnx"]);
        using SplitVerifier verifier = SplitVerifier.Create(model);
        Assert.That(verifier.Verify(Stages(model.Graph, 3)).IsBitExact, Is.True);
        Assert.That(model.Graph.Activations.Single(static value => value.Info.Name == "present.0.key").ByteCount, Is.EqualTo(8 * (128 + 128) * 32 * sizeof(float)));
    }

    /// <summary>Consecutive layers with about the same number of operations in each stage.</summary>
    private static IEnumerable<int[]> Stages(ModelGraph graph, int count)
    {
        double before = 0;
        return graph.Layers.GroupBy(StageOf, static layer => layer.Index).Select(static stage => stage.ToArray());

        int StageOf(Layer layer)
        {
            double middle = before + (layer.FloatOperations / 2);
            before += layer.FloatOperations;
            return Math.Min(count - 1, (int)(count * middle / graph.FloatOperations));
        }
    }
}

using EdgeSplit.Models;
using EdgeSplit.Onnx.Format;
using EdgeSplit.Onnx.Reading;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tests;
using Google.Protobuf;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>A model built in a test, as a file that is open.</summary>
internal sealed class SmallModel : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SmallModel(ModelProto model, LayerGrouping grouping = LayerGrouping.Operators)
    {
        File.WriteAllBytes(_folder["model.onnx"], model.ToByteArray());
        try
        {
            Opened = OnnxModel.Open(_folder["model.onnx"], new OnnxModelOptions { Grouping = grouping });
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    public OnnxModel Opened { get; }

    public ModelGraph Graph => Opened.Graph;

    /// <summary>The skeleton of the part of some layers.</summary>
    public ModelProto Part(params int[] layers) => SkeletonReader.Parse(Opened.Extract(layers).Skeleton, "part");

    public int LayerOf(string output) => Graph.Activations.Single(activation => activation.Info.Name == output).Producer;

    /// <summary>Splits at every value and at every single cut, and expects the unsplit outputs bit for bit.</summary>
    public void ExpectExactAtEveryCut(SplitVerifierOptions? options = null)
    {
        using SplitVerifier verifier = SplitVerifier.Create(Opened, options);
        Expect(verifier, "everywhere", SplitCuts.Everywhere(Graph).Select(static layers => (IReadOnlyCollection<int>)layers));
        foreach (var before in SplitCuts.All(Graph))
            Expect(verifier, $"behind {string.Join(',', before)}", SplitCuts.Parts(Graph, before).Select(static layers => (IReadOnlyCollection<int>)layers));
    }

    public void Dispose()
    {
        Opened.Dispose();
        _folder.Dispose();
    }

    private static void Expect(SplitVerifier verifier, string cut, IEnumerable<IReadOnlyCollection<int>> stages)
    {
        SplitComparison comparison = verifier.Verify(stages);
        Assert.That(comparison.IsBitExact, Is.True, $"cut {cut}: {string.Join("; ", comparison.Outputs)}");
    }
}

using System.Collections.Immutable;
using System.Diagnostics;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Onnx.Tests.Splitting;

/// <summary>What came of splitting one model in many ways.</summary>
/// <param name="Model">The model's folder.</param>
/// <param name="Layers">The layers, one for each movable operator.</param>
/// <param name="Cuts">The splits that were run.</param>
/// <param name="Exact">Those that gave the unsplit model's outputs bit for bit.</param>
/// <param name="Failures">What went wrong with the others.</param>
/// <param name="Refusal">Why the model cannot run at all; null where it can.</param>
internal sealed record SweepResult(string Model, int Layers, int Cuts, int Exact, ImmutableArray<string> Failures, string? Refusal);

/// <summary>Splits a model at cuts and at random assignments to devices and compares each with the unsplit model, optimisation off.</summary>
internal static class ModelSweep
{
    private const int MaxFailuresKept = 5;

    /// <param name="modelPath">The model file.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="cutLimit">The number of single cuts from which on a sample is taken.</param>
    /// <param name="assignments">The number of random assignments.</param>
    /// <param name="budget">After this time no further split is tried.</param>
    /// <param name="options">The inputs.</param>
    public static SweepResult Run(string modelPath, string name, int cutLimit, int assignments, TimeSpan budget, SplitVerifierOptions options)
    {
        var clock = Stopwatch.StartNew();
        OnnxModel model;
        SplitVerifier verifier;
        try
        {
            model = OnnxModel.Open(modelPath, new OnnxModelOptions { Grouping = LayerGrouping.Operators });
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.InvalidModel)
        {
            return new SweepResult(name, 0, 0, 0, [], $"invalid: {exception.Message}");
        }
        using (model)
        {
            try
            {
                verifier = SplitVerifier.Create(model, options);
            }
            catch (EdgeSplitException exception)
            {
                // What cannot run can still be split.
                foreach (ImmutableArray<int> layers in SplitCuts.Everywhere(model.Graph))
                    model.Extract(layers);
                return new SweepResult(name, model.Graph.Layers.Length, 0, 0, [], $"{exception.Error}: {exception.Message}");
            }
            using (verifier)
            {
                int cuts = 0, exact = 0;
                var failures = ImmutableArray.CreateBuilder<string>();
                foreach ((string what, ImmutableArray<ImmutableArray<int>> stages) in Splits(model, cutLimit, assignments))
                {
                    if (cuts > 0 && clock.Elapsed > budget)
                        break;
                    cuts++;
                    string? failure = Try(verifier, stages);
                    if (failure is null)
                        exact++;
                    else if (failures.Count < MaxFailuresKept)
                        failures.Add($"{what}: {failure}");
                }
                return new SweepResult(name, model.Graph.Layers.Length, cuts, exact, failures.ToImmutable(), null);
            }
        }
    }

    private static IEnumerable<(string What, ImmutableArray<ImmutableArray<int>> Stages)> Splits(OnnxModel model, int cutLimit, int assignments)
    {
        if (model.Graph.Layers.Length == 0)
        {
            yield return ("no layers", []);
            yield break;
        }
        yield return ("whole", [[.. Enumerable.Range(0, model.Graph.Layers.Length)]]);
        yield return ("everywhere", SplitCuts.Everywhere(model.Graph));
        var random = new Random(7);
        for (int i = 0; i < assignments; i++)
        {
            int devices = 2 + i % 3;
            int[] assignment = [.. model.Graph.Layers.Select(_ => random.Next(devices))];
            yield return ($"{devices} devices #{i}", [.. StageBuilder.Build(model.Graph, assignment).Select(static stage => stage.Layers)]);
        }
        foreach (ImmutableArray<int> before in SplitCuts.Sample(model.Graph, cutLimit, 3))
            yield return ($"cut before {before.Length} of {model.Graph.Layers.Length}", SplitCuts.Parts(model.Graph, before));
    }

    private static string? Try(SplitVerifier verifier, ImmutableArray<ImmutableArray<int>> stages)
    {
        try
        {
            SplitComparison comparison = verifier.Verify(stages.Select(static stage => (IReadOnlyCollection<int>)stage));
            return comparison.IsBitExact ? null : $"differs by {comparison.LargestAbsolute:g3}";
        }
        catch (EdgeSplitException exception)
        {
            return $"{exception.Error}: {exception.Message}";
        }
    }
}

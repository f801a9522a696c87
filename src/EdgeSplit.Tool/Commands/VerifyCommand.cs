using System.Collections.Immutable;
using System.CommandLine;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit verify</c>: runs a model whole and split, and shows by how much the results differ.</summary>
internal static class VerifyCommand
{
    /// <summary>What graph optimisations may change: they group sums differently in a part than in the whole.</summary>
    public const double RelativeTolerance = 1e-4;

    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<int> stages = SharedArguments.Count("--stages", 2, 1, "The number of stages.");
        Option<string> plan = new("--plan") { Description = "Split as a plan file assigns layers to devices, instead of into --stages.", HelpName = "PLAN.json" };
        Option<bool> everyCut = new("--every-cut") { Description = "Cut in two at each legal place, one after the other, instead of into --stages." };
        Option<int> limit = SharedArguments.Count("--limit", 500, 1, "With --every-cut: above this many cuts, a seeded sample of them.");
        Option<string> data = new("--data") { Description = "A folder with input_0.pb, input_1.pb, ... Default: random inputs.", HelpName = "DIR" };
        Option<int> seed = new("--seed") { Description = "The seed of random inputs and samples.", HelpName = "N", DefaultValueFactory = _ => 1 };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        var command = new Command("verify", "Runs a model whole and split on the same inputs and shows the largest difference; fails where it is not exact.")
        {
            model, stages, plan, everyCut, limit, data, seed, dimensions, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(everyCut) is { Implicit: false } && result.GetResult(plan) is { Implicit: false })
                result.AddError("Give --every-cut or --plan, not both.");
        });
        command.SetAction((result, cancellationToken) => Task.Run(() =>
        {
            string path = result.GetRequiredValue(model);
            IReadOnlyDictionary<string, long> sizes = SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []);
            var open = new OnnxModelOptions { FreeDimensions = sizes };
            var verify = new SplitVerifierOptions { DataFolder = result.GetValue(data), Seed = result.GetValue(seed), FreeDimensions = sizes };
            if (result.GetValue(everyCut))
                return EveryCut(path, open, verify, result.GetValue(limit), result.GetValue(json), cancellationToken);
            using Cutting cutting = Cut(path, result.GetValue(plan), result.GetValue(stages), open, verify, cancellationToken);
            return Stages(cutting, verify, result.GetValue(json), cancellationToken);
        }, cancellationToken));
        return command;
    }

    private static Cutting Cut(string path, string? plan, int stages, OnnxModelOptions open, SplitVerifierOptions verify, CancellationToken cancellationToken)
    {
        try
        {
            return plan is null ? Cutting.IntoStages(path, stages, open, cancellationToken) : Cutting.ByPlan(path, plan, open, cancellationToken);
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.IllegalCut)
        {
            // Of a model that does not even run whole, that is the thing to say.
            using OnnxModel model = OnnxModel.Open(path, open with { InferShapes = false }, cancellationToken);
            SplitVerifier.Create(model, verify).Dispose();
            throw;
        }
    }

    private static int Stages(Cutting cutting, SplitVerifierOptions options, bool json, CancellationToken cancellationToken)
    {
        SplitComparison plain = Compare(optimize: false);
        SplitComparison optimized = Compare(optimize: true);
        bool passed = plain.IsBitExact && optimized.LargestRelative <= RelativeTolerance;
        if (json)
        {
            Json.Print(new
            {
                model = cutting.Model.Graph.Name,
                stages = cutting.Stages.Length,
                passed,
                optimizationsOff = Describe(plain),
                optimizationsOn = Describe(optimized),
            });
        }
        else
        {
            Table table = Tables.Create($"{cutting.Model.Graph.Name} in {cutting.Stages.Length} stages against whole", "output", "graph optimizations", ">largest difference", ">relative", "result");
            foreach ((string optimizations, SplitComparison comparison) in (ReadOnlySpan<(string, SplitComparison)>)[("off", plain), ("all", optimized)])
            {
                foreach (OutputDifference output in comparison.Outputs)
                    table.Add(output.Name, optimizations, $"{output.LargestAbsolute:g3}", $"{output.LargestRelative:g3}", Verdict(output, optimizations == "off"));
            }
            Tables.Console.Write(table);
            Console.Out.WriteLine($"largest difference: {plain.LargestAbsolute:g3} with graph optimizations off, {optimized.LargestRelative:g3} relative with all");
        }
        return passed ? CommandLine.Fine : CommandLine.Failed;

        SplitComparison Compare(bool optimize)
        {
            using var verifier = SplitVerifier.Create(cutting.Model, options with { Optimize = optimize });
            return verifier.Verify(cutting.Stages.Select(static stage => (IReadOnlyCollection<int>)stage), cancellationToken);
        }
    }

    private static string Verdict(OutputDifference output, bool mustBeExact) => output switch
    {
        { IsBitExact: true } => "exact",
        _ when !mustBeExact && output.LargestRelative <= RelativeTolerance => "equal",
        _ => "DIFFERENT",
    };

    private static object Describe(SplitComparison comparison) => new
    {
        exact = comparison.IsBitExact,
        largestAbsolute = comparison.LargestAbsolute,
        largestRelative = comparison.LargestRelative,
        outputs = comparison.Outputs,
    };

    private static int EveryCut(string path, OnnxModelOptions open, SplitVerifierOptions options, int limit, bool json, CancellationToken cancellationToken)
    {
        using OnnxModel model = OnnxModel.Open(path, open with { Grouping = LayerGrouping.Operators }, cancellationToken);
        using var verifier = SplitVerifier.Create(model, options);
        ImmutableArray<ImmutableArray<int>> cuts = SplitCuts.Sample(model.Graph, limit, options.Seed);
        var results = new List<CutResult>();
        Tables.Status.Progress().AutoClear(true).Start(context =>
        {
            ProgressTask progress = context.AddTask("cuts", maxValue: Math.Max(cuts.Length, 1));
            foreach (ImmutableArray<int> before in cuts)
            {
                results.Add(Try(model, verifier, before, cancellationToken));
                progress.Increment(1);
            }
        });

        int exact = results.Count(static result => result is { Refused: null, Exact: true });
        int refused = results.Count(static result => result.Refused is not null);
        bool passed = exact + refused == results.Count;
        if (json)
        {
            Json.Print(new { model = model.Graph.Name, cuts = results.Count, exact, refused, passed, results });
        }
        else
        {
            if (exact < results.Count)
            {
                Table table = Tables.Create("Cuts that are refused or not exact", "at", ">largest difference", "why");
                foreach (CutResult result in results.Where(static result => !result.Exact))
                    table.Add(string.Join(", ", result.At), result.Refused is null ? $"{result.LargestAbsolute:g3}" : "", result.Refused ?? "DIFFERENT");
                Tables.Console.Write(table);
            }
            Console.Out.WriteLine($"{model.Graph.Name}: {results.Count} cuts tried, {exact} exact, {refused} refused");
        }
        return passed ? CommandLine.Fine : CommandLine.Failed;
    }

    private static CutResult Try(OnnxModel model, SplitVerifier verifier, ImmutableArray<int> before, CancellationToken cancellationToken)
    {
        var first = before.ToHashSet();
        ImmutableArray<string> at = [.. model.Graph.Activations
            .Where(activation => first.Contains(activation.Producer) && activation.Consumers.Any(consumer => !first.Contains(consumer)))
            .Select(static activation => activation.Info.Name)];
        try
        {
            SplitComparison comparison = verifier.Verify(SplitCuts.Parts(model.Graph, before).Select(static part => (IReadOnlyCollection<int>)part), cancellationToken);
            return new CutResult(at, comparison.IsBitExact, comparison.LargestAbsolute, null);
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.IllegalCut)
        {
            return new CutResult(at, false, double.NaN, exception.Message);
        }
    }

    /// <param name="At">The values that cross the cut.</param>
    /// <param name="Exact">Whether the parts gave the whole's result in every bit.</param>
    /// <param name="LargestAbsolute">The largest difference; not a number where the cut is refused.</param>
    /// <param name="Refused">Why the cut is not legal, or null.</param>
    private sealed record CutResult(ImmutableArray<string> At, bool Exact, double LargestAbsolute, string? Refused);
}

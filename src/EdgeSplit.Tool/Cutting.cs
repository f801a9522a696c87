using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Tool;

/// <summary>An open model and the stages to take from it, in an order in which they can run.</summary>
/// <param name="Model">The model; disposed of with this.</param>
/// <param name="Grouping">What the model's layers are.</param>
/// <param name="Stages">For each stage, its layers, ascending.</param>
internal sealed record Cutting(OnnxModel Model, LayerGrouping Grouping, ImmutableArray<ImmutableArray<int>> Stages) : IDisposable
{
    public void Dispose() => Model.Dispose();

    /// <summary>Stages of about equal work: of layers that should stay together where there are enough, of single operators where not.</summary>
    public static Cutting IntoStages(string path, int count, OnnxModelOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return Create(path, options, cancellationToken, model => IntoStages(model, count, cancellationToken));
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.IllegalCut)
        {
            return Create(path, options with { Grouping = LayerGrouping.Operators }, cancellationToken, model => IntoStages(model, count, cancellationToken));
        }
    }

    private static ImmutableArray<ImmutableArray<int>> IntoStages(OnnxModel model, int count, CancellationToken cancellationToken)
    {
        int stageCount = 0;
        if (count <= Math.Max(model.Graph.Layers.Length, 1))
        {
            PartitionPlan plan = new LayerwisePartitioner().Partition(
                new PartitionProblem
                {
                    Graph = model.Graph,
                    Fleet = new Fleet(Enumerable.Range(0, count).Select(static index => new Device { Id = $"stage-{index}" })),
                    CostModel = WeightedCostModel.ForObjective(PlanObjective.Throughput),
                },
                cancellationToken);
            if (plan.Stages.Length == count)
                return [.. plan.Stages.Select(static stage => stage.Layers)];
            stageCount = plan.Stages.Length;
        }
        throw new EdgeSplitException(EdgeSplitError.IllegalCut,
            $"'{model.Graph.Name}' has {model.Graph.Layers.Length} layers that can be parted{(stageCount > 0 ? $", for {stageCount} stages" : "")}: too few for {count} stages.");
    }

    /// <summary>One stage up to each cut, and one for what is left.</summary>
    public static Cutting AtTensors(string path, IReadOnlyList<string[]> cuts, OnnxModelOptions options, CancellationToken cancellationToken) =>
        Create(path, options with { Grouping = LayerGrouping.Operators }, cancellationToken, model =>
        {
            var stages = ImmutableArray.CreateBuilder<ImmutableArray<int>>();
            var done = new HashSet<int>();
            foreach (string[] cut in cuts)
            {
                if (cut.Length == 0)
                    throw new BadUsageException("--at needs the name of a tensor.");
                ImmutableArray<int> stage = [.. model.LayersUpTo(cut).Where(done.Add)];
                if (stage.IsEmpty)
                {
                    throw new EdgeSplitException(EdgeSplitError.IllegalCut,
                        $"Nothing is left to compute before the cut at '{string.Join(',', cut)}' after the cuts before it; name the cuts in the order of the model.");
                }
                stages.Add(stage);
            }
            ImmutableArray<int> rest = [.. Enumerable.Range(0, model.Graph.Layers.Length).Where(layer => !done.Contains(layer))];
            if (rest.IsEmpty)
            {
                throw new EdgeSplitException(EdgeSplitError.IllegalCut,
                    $"Nothing is left to compute after the cut at '{string.Join(',', cuts[^1])}'; cut before the model's end.");
            }
            stages.Add(rest);
            return stages.ToImmutable();
        });

    /// <summary>The stages that follow from a plan file, which names layers as they are grouped by default or single operators.</summary>
    public static Cutting ByPlan(string path, string planPath, OnnxModelOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return Create(path, options, cancellationToken, model => StagesOf(model, planPath));
        }
        catch (EdgeSplitException exception) when (exception.Error == EdgeSplitError.InvalidArgument && options.Grouping == LayerGrouping.Fused)
        {
            try
            {
                return Create(path, options with { Grouping = LayerGrouping.Operators }, cancellationToken, model => StagesOf(model, planPath));
            }
            catch (EdgeSplitException second) when (second.Error == EdgeSplitError.InvalidArgument)
            {
                // What is wrong with the default grouping is what the user can make sense of.
                throw exception;
            }
        }
    }

    private static ImmutableArray<ImmutableArray<int>> StagesOf(OnnxModel model, string planPath) =>
        [.. StageBuilder.Build(model.Graph, PlanFile.Read(planPath, model.Graph).Devices.AsSpan()).Select(static stage => stage.Layers)];

    private static Cutting Create(string path, OnnxModelOptions options, CancellationToken cancellationToken, Func<OnnxModel, ImmutableArray<ImmutableArray<int>>> stages)
    {
        OnnxModel model = OnnxModel.Open(path, options, cancellationToken);
        try
        {
            return new Cutting(model, options.Grouping, stages(model));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}

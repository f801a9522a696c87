using System.Collections.Immutable;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>Gathers the stages of a plan's routes, each once, and numbers them. Not thread-safe.</summary>
internal sealed class StageList
{
    private readonly List<PlanStage> _stages = [];
    private readonly List<(PlanRoute Route, int[] Stages)> _routes = [];

    /// <summary>The stages in the order of their first layers, copies of one beside each other; those of a single route as they were added.</summary>
    public ImmutableArray<PlanStage> Stages { get; private set; } = [];

    /// <summary>Adds a route with its stages in an order in which they can run.</summary>
    public void Add(PlanRoute route, ImmutableArray<PlanStage> stages)
    {
        var positions = new int[stages.Length];
        for (int i = 0; i < stages.Length; i++)
        {
            PlanStage stage = stages[i];
            int known = _stages.FindIndex(other => other.Device == stage.Device && other.Layers.AsSpan().SequenceEqual(stage.Layers.AsSpan()));
            if (known < 0)
            {
                known = _stages.Count;
                _stages.Add(stage with { Share = 0 });
            }
            _stages[known] = _stages[known] with { Share = _stages[known].Share + route.Share };
            positions[i] = known;
        }
        _routes.Add((route, positions));
    }

    /// <summary>Numbers the stages, and gives the routes with theirs.</summary>
    public ImmutableArray<PlanRoute> Number()
    {
        int[] order = [.. Enumerable.Range(0, _stages.Count)];
        if (_routes.Count > 1)
            order = [.. order.OrderBy(stage => _stages[stage].Layers[0]).ThenBy(stage => _stages[stage].Layers.Length)];
        var numbers = new int[order.Length];
        for (int number = 0; number < order.Length; number++)
            numbers[order[number]] = number;
        // Shares that add up to 1 but for rounding are those of a stage that every request passes.
        Stages = [.. order.Select((stage, number) => _stages[stage] with { Index = number, Share = _stages[stage].Share > 1 - 1e-9 ? 1 : _stages[stage].Share })];
        return [.. _routes.Select(route => route.Route with { Stages = [.. route.Stages.Select(stage => numbers[stage])] })];
    }
}

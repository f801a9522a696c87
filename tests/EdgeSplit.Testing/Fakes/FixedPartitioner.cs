using System.Collections.Immutable;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Testing.Fakes;

/// <summary>A partitioner that assigns layers as a test says, by device ids, and predicts nothing.</summary>
public sealed class FixedPartitioner(Func<PartitionProblem, IEnumerable<string>> assign) : IPartitioner
{
    /// <inheritdoc/>
    public string Name => "fixed";

    /// <summary>Deals layers out to the agents in turn, so that every layer is a stage.</summary>
    public static FixedPartitioner RoundRobin { get; } = new(static problem =>
        problem.Graph.Layers.Select(layer => Agents(problem)[layer.Index % Agents(problem).Length]));

    /// <summary>Gives each agent as many layers in a row.</summary>
    public static FixedPartitioner Even { get; } = new(static problem =>
        problem.Graph.Layers.Select(layer => Agents(problem)[layer.Index * Agents(problem).Length / problem.Graph.Layers.Length]));

    /// <inheritdoc/>
    public PartitionPlan Partition(PartitionProblem problem, CancellationToken cancellationToken) => Plan(problem, assign(problem));

    /// <summary>A plan that assigns layers to devices by their ids.</summary>
    public static PartitionPlan Plan(PartitionProblem problem, IEnumerable<string> deviceIds)
    {
        ImmutableArray<int> assignment = [.. deviceIds.Select(id => problem.Fleet.IndexOf(id))];
        return new PartitionPlan
        {
            Graph = problem.Graph,
            Fleet = problem.Fleet,
            Assignment = assignment,
            Stages = StageBuilder.Build(problem.Graph, assignment.AsSpan()),
            Cost = default,
            Objective = 0,
            Partitioner = "fixed",
        };
    }

    private static string[] Agents(PartitionProblem problem) =>
        [.. problem.Fleet.Devices.Where(static device => !device.IsCoordinator).Select(static device => device.Id)];
}

/// <summary>A cost model in which nothing costs anything.</summary>
public sealed class FreeCostModel : ICostModel
{
    /// <inheritdoc/>
    public string Name => "free";

    /// <inheritdoc/>
    public double LayerSeconds(Models.Layer layer, long weightBytes, Device device, double? measuredSeconds) => 0;

    /// <inheritdoc/>
    public double TransferSeconds(long byteCount, Link link) => 0;

    /// <inheritdoc/>
    public double Combine(in PlanCost cost) => 0;
}

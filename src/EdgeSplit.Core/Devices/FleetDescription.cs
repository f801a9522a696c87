using System.Collections.Immutable;
using EdgeSplit.Models;

namespace EdgeSplit.Devices;

/// <summary>A fleet, with where requests come from.</summary>
/// <param name="Fleet">The devices and links.</param>
/// <param name="SourceDevice">The position of the device where requests come from and results go; -1 where both are free of cost.</param>
public sealed record FleetDescription(Fleet Fleet, int SourceDevice)
{
    /// <summary>Seconds that each layer took, by the model's name and the device's id.</summary>
    public ImmutableDictionary<string, ImmutableDictionary<string, ImmutableArray<double>>> LayerSeconds { get; init; } =
        ImmutableDictionary<string, ImmutableDictionary<string, ImmutableArray<double>>>.Empty;

    /// <summary>What devices measured for a model, for <see cref="Partitioning.PartitionProblem.MeasuredLayerSeconds"/>; empty where nothing was.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: a model of that name was measured that has other layers.</exception>
    public ImmutableDictionary<string, ImmutableArray<double>> LayerSecondsOf(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ImmutableDictionary<string, ImmutableArray<double>> measured = LayerSeconds.GetValueOrDefault(graph.Name) ?? ImmutableDictionary<string, ImmutableArray<double>>.Empty;
        foreach ((string device, ImmutableArray<double> seconds) in measured)
        {
            if (seconds.Length != graph.Layers.Length)
            {
                throw new EdgeSplitException(EdgeSplitError.InvalidArgument,
                    $"The fleet has times of {seconds.Length} layers of '{graph.Name}' on device '{device}'; the model has {graph.Layers.Length}. Measure it anew with 'edgesplit fleet probe --model'.");
            }
        }
        return measured;
    }
}

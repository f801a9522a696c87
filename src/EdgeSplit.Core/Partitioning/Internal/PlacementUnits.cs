using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Devices;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The layers as searches move them: those that constraints keep together are one unit, and each unit knows the devices
/// that it may be on. Units are numbered by their first layers. Immutable.
/// </summary>
internal sealed class PlacementUnits
{
    private readonly PlacementModel _model;
    private readonly bool[] _allowed;
    private readonly long[] _weightBytes;

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: a unit has no device that may run it.</exception>
    public PlacementUnits(PlacementModel model)
    {
        _model = model;
        CheckNames();
        DisjointSets sets = Join();
        UnitOf = new int[model.LayerCount];
        var layers = new List<List<int>>();
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            int first = sets.Find(layer);
            if (first == layer)
            {
                UnitOf[layer] = layers.Count;
                layers.Add([]);
            }
            UnitOf[layer] = UnitOf[first];
            layers[UnitOf[layer]].Add(layer);
        }
        Layers = [.. layers.Select(static unit => unit.ToArray())];
        Values = [.. Layers.Select(unit => unit.SelectMany(layer => model.Graph.Inputs(layer).ToArray().Concat(model.Graph.Outputs(layer).ToArray())).Distinct().Order().ToArray())];
        Seconds = new double[Count * model.DeviceCount];
        _allowed = new bool[Count * model.DeviceCount];
        _weightBytes = [.. Layers.Select(WeightBytesOf)];
        var choices = new List<int[]>();
        for (int unit = 0; unit < Count; unit++)
        {
            for (int device = 0; device < model.DeviceCount; device++)
            {
                foreach (int layer in Layers[unit])
                    Seconds[(unit * model.DeviceCount) + device] += model.SecondsOf(layer, device);
                _allowed[(unit * model.DeviceCount) + device] = Obstacle(unit, device) is null;
            }
            int[] allowed = [.. Enumerable.Range(0, model.DeviceCount).Where(device => IsAllowed(unit, device))];
            if (allowed.Length == 0)
                throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, DescribeObstacles(unit));
            choices.Add(allowed);
        }
        Choices = [.. choices];
        Fastest = [.. choices.Select((allowed, unit) => allowed.OrderBy(device => SecondsOf(unit, device)).ToArray())];
        WorkPerMove = [.. Enumerable.Range(0, Count).Select(unit => Layers[unit].Length + Values[unit].Sum(value => 1 + model.Graph.Consumers(value).Length))];
    }

    public int Count => Layers.Length;

    /// <summary>The unit of each layer.</summary>
    public int[] UnitOf { get; }

    /// <summary>The layers of each unit, ascending.</summary>
    public int[][] Layers { get; }

    /// <summary>The values that the layers of each unit read or make.</summary>
    public int[][] Values { get; }

    /// <summary>The devices that each unit may be on, ascending.</summary>
    public int[][] Choices { get; }

    /// <summary>The devices that each unit may be on, the fastest first.</summary>
    public int[][] Fastest { get; }

    /// <summary>Seconds of computing by unit and device.</summary>
    public double[] Seconds { get; }

    /// <summary>What moving each unit costs a search, in values and layers touched.</summary>
    public int[] WorkPerMove { get; }

    public bool IsAllowed(int unit, int device) => _allowed[(unit * _model.DeviceCount) + device];

    public double SecondsOf(int unit, int device) => Seconds[(unit * _model.DeviceCount) + device];

    /// <summary>Bytes of the weights that a unit reads, each once.</summary>
    public long WeightBytes(int unit) => _weightBytes[unit];

    /// <summary>Why a device cannot take a unit whatever else is there; null where it can.</summary>
    private string? Obstacle(int unit, int device)
    {
        Device about = _model.Devices[device];
        PlanConstraints constraints = _model.Problem.Constraints;
        if (about.CurrentLoad >= about.AllowedLoad)
            return string.Create(CultureInfo.InvariantCulture, $"it is loaded by {about.CurrentLoad:P0} of the {about.AllowedLoad:P0} that are allowed");
        foreach (int layer in Layers[unit])
        {
            if (!double.IsFinite(_model.SecondsOf(layer, device)))
                return $"it cannot run layer '{NameOf(layer)}'";
            if (!constraints.Pinned.IsEmpty && constraints.Pinned.TryGetValue(layer, out string? pinned) && pinned != about.Id)
                return $"layer '{NameOf(layer)}' is pinned to '{pinned}'";
            if (!constraints.Forbidden.IsEmpty && constraints.Forbidden.Contains((layer, about.Id)))
                return $"layer '{NameOf(layer)}' is forbidden there";
            if (layer < constraints.PrivateLeadingLayers && device != _model.Source)
                return $"layer '{NameOf(layer)}' is one of the first {constraints.PrivateLeadingLayers}, which stay on the source device";
        }
        if (_weightBytes[unit] > about.MemoryBytes)
            return string.Create(CultureInfo.InvariantCulture, $"it lacks {_weightBytes[unit] - about.MemoryBytes:N0} bytes of memory for its weights");
        if (device != _model.Source && Array.Exists(Layers[unit], layer => Array.BinarySearch(_model.LayersAtSource, layer) >= 0))
            return "it reads or makes an input or output of the model that cannot travel";
        return null;
    }

    private long WeightBytesOf(int[] layers)
    {
        var weights = new HashSet<int>();
        foreach (int layer in layers)
        {
            foreach (int weight in _model.WeightsOf(layer))
                weights.Add(weight);
        }
        return weights.Sum(weight => _model.Problem.Graph.Weights[weight].ByteCount);
    }

    private string DescribeObstacles(int unit)
    {
        string name = Layers[unit].Length == 1 ? $"Layer '{NameOf(Layers[unit][0])}'" : $"The {Layers[unit].Length} layers that stay with '{NameOf(Layers[unit][0])}'";
        IEnumerable<string> reasons = Enumerable.Range(0, _model.DeviceCount).Take(6).Select(device => $"'{_model.Devices[device].Id}': {Obstacle(unit, device)}");
        return $"{name} of model '{_model.Problem.Graph.Name}' can run on no device. {string.Join("; ", reasons)}{(_model.DeviceCount > 6 ? $"; and so on for {_model.DeviceCount - 6} more." : ".")}";
    }

    private DisjointSets Join()
    {
        var sets = new DisjointSets(_model.LayerCount);
        foreach (int[] atom in _model.Graph.Atoms.Layers)
        {
            foreach (int layer in atom)
                sets.Join(atom[0], layer);
        }
        foreach (ImmutableArray<int> group in _model.Problem.Constraints.Colocated)
        {
            foreach (int layer in group)
                sets.Join(group[0], layer);
        }
        for (int layer = 1; layer < Math.Min(_model.Problem.Constraints.PrivateLeadingLayers, _model.LayerCount); layer++)
            sets.Join(0, layer);
        return sets;
    }

    private void CheckNames()
    {
        PlanConstraints constraints = _model.Problem.Constraints;
        foreach ((int layer, string id) in constraints.Pinned.OrderBy(static pin => pin.Key))
        {
            RequireLayer(layer, nameof(PlanConstraints.Pinned));
            if (_model.Problem.Fleet.IndexOf(id) < 0)
                throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, $"Layer '{NameOf(layer)}' is pinned to device '{id}', which the fleet lacks.");
        }
        foreach (int layer in constraints.Colocated.SelectMany(static group => group))
            RequireLayer(layer, nameof(PlanConstraints.Colocated));
        if (constraints.PrivateLeadingLayers > 0 && _model.Source < 0)
            throw new EdgeSplitException(EdgeSplitError.NoFeasiblePlan, $"The first {constraints.PrivateLeadingLayers} layers are to stay on the source device, and the problem names none; set {nameof(PartitionProblem.SourceDevice)}.");
    }

    private void RequireLayer(int layer, string constraint)
    {
        if (layer < 0 || layer >= _model.LayerCount)
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"{constraint} names layer {layer}; model '{_model.Problem.Graph.Name}' has {_model.LayerCount}.");
    }

    private string NameOf(int layer) => _model.Problem.Graph.Layers[layer].Name;
}

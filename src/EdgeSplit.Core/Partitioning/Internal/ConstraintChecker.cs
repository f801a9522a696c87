using System.Collections.Immutable;
using System.Globalization;
using EdgeSplit.Devices;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>Tells which constraints an assignment breaks. Not thread-safe.</summary>
internal sealed class ConstraintChecker(PlacementModel model)
{
    private readonly ActivationMemory _memory = new(model.Graph);

    /// <summary>Layers walked so far to tell whether plans fit.</summary>
    public long Work { get; private set; }

    /// <summary>Bytes of activations of the plan on a device, what the current plan keeps there included.</summary>
    public long ActivationBytes(PlacementLoads loads, int device) =>
        (model.Slots[device] * loads.Assignments.Max(assignment => _memory.PeakBytes(assignment, device))) + model.HeldActivationBytes[device];

    /// <summary>Whether what is on a device fits its memory and its allowed load.</summary>
    public bool Fits(PlacementLoads loads, int device) => loads.LayersOn[device] == 0 || (IsLoadAllowed(loads, device) && FitsMemory(loads, device));

    /// <summary>As <see cref="Fits"/> without the peak of activations: where this says so, it fits.</summary>
    public bool FitsSurely(PlacementLoads loads, int device) => loads.LayersOn[device] == 0 || (IsLoadAllowed(loads, device) && HasRoomForAll(loads, device));

    /// <summary>Whether a device could hold what is on it when others are still to be assigned: the peak of activations is not known then.</summary>
    public bool FitsPartly(PlacementLoads loads, int device) =>
        IsLoadAllowed(loads, device) && loads.WeightBytes[device] + model.HeldActivationBytes[device] <= model.Devices[device].MemoryBytes;

    /// <summary>The share of a device's time that a plan takes at the requested rate.</summary>
    public double ShareOf(PlacementLoads loads, int device) =>
        // Seconds are stretched by other work already; its own share is what the device would need alone.
        model.Problem.RequestsPerSecond * loads.Compute[device] / model.Slots[device] * (1 - model.Devices[device].CurrentLoad);

    public ImmutableArray<PlanViolation> Violations(PlacementLoads loads)
    {
        ImmutableArray<PlanViolation>.Builder violations = ImmutableArray.CreateBuilder<PlanViolation>();
        foreach (int[] assignment in loads.Assignments)
            AddPlacements(assignment, violations);
        for (int device = 0; device < model.DeviceCount; device++)
        {
            if (loads.LayersOn[device] > 0)
                AddResources(loads, device, violations);
        }
        int used = loads.UsedDevices();
        if (used > model.Problem.Constraints.MaximumDevices)
            violations.Add(new(PlanViolationKind.MaximumDevices, $"The plan uses {used} devices; {model.Problem.Constraints.MaximumDevices} are allowed."));
        if (loads.Assignments.Count > 1)
        {
            AddReplicas(loads.Assignments, violations);
            return [.. violations.Distinct()];
        }
        return violations.ToImmutable();
    }

    /// <summary>Whether no layer is on more devices than allowed.</summary>
    public bool HasReplicasToSpare(IReadOnlyList<int[]> assignments) =>
        assignments.Count <= model.Problem.Constraints.MaximumReplicas || FindReplicated(assignments) is null;

    private bool IsLoadAllowed(PlacementLoads loads, int device)
    {
        Device about = model.Devices[device];
        return about.CurrentLoad < about.AllowedLoad && about.CurrentLoad + ShareOf(loads, device) <= about.AllowedLoad + 1e-9;
    }

    private bool FitsMemory(PlacementLoads loads, int device)
    {
        long limit = model.Devices[device].MemoryBytes;
        long weights = loads.WeightBytes[device];
        if (weights > limit)
            return false;
        // The exact peak is dear; where even all activations of the device fit there is nothing to ask.
        if (HasRoomForAll(loads, device))
            return true;
        Work += loads.Assignment.Length;
        return weights + ActivationBytes(loads, device) <= limit;
    }

    private bool HasRoomForAll(PlacementLoads loads, int device)
    {
        long room = model.Devices[device].MemoryBytes - loads.WeightBytes[device] - model.HeldActivationBytes[device];
        return room >= 0 && room / model.Slots[device] >= loads.TouchedBytes[device];
    }

    private void AddPlacements(int[] assignment, ImmutableArray<PlanViolation>.Builder violations)
    {
        PlanConstraints constraints = model.Problem.Constraints;
        for (int layer = 0; layer < assignment.Length; layer++)
        {
            if (!double.IsFinite(model.SecondsOf(layer, assignment[layer])))
                violations.Add(new(PlanViolationKind.Unsupported, $"Device '{IdOf(assignment[layer])}' cannot run layer '{NameOf(layer)}'."));
            if (constraints.Forbidden.Contains((layer, IdOf(assignment[layer]))))
                violations.Add(new(PlanViolationKind.Forbidden, $"Layer '{NameOf(layer)}' is forbidden on device '{IdOf(assignment[layer])}'."));
            if (layer < constraints.PrivateLeadingLayers && assignment[layer] != model.Source)
                violations.Add(new(PlanViolationKind.Privacy, $"Layer '{NameOf(layer)}' is one of the first {constraints.PrivateLeadingLayers} and has left the source device."));
        }
        foreach ((int layer, string id) in constraints.Pinned.OrderBy(static pin => pin.Key))
        {
            if (IdOf(assignment[layer]) != id)
                violations.Add(new(PlanViolationKind.Pinned, $"Layer '{NameOf(layer)}' is pinned to device '{id}' and is on '{IdOf(assignment[layer])}'."));
        }
        foreach (ImmutableArray<int> group in constraints.Colocated)
        {
            if (group.Any(layer => assignment[layer] != assignment[group[0]]))
                violations.Add(new(PlanViolationKind.Colocation, $"These layers are to be on one device: {string.Join(", ", group.Select(layer => $"'{NameOf(layer)}'"))}."));
        }
        foreach (int[] atom in model.Graph.Atoms.Layers)
        {
            if (atom.Any(layer => assignment[layer] != assignment[atom[0]]))
                violations.Add(new(PlanViolationKind.IllegalCut, StageBuilder.DescribeSplitAtom(model.Problem.Graph, atom)));
        }
        foreach (int layer in model.LayersAtSource)
        {
            if (assignment[layer] != model.Source)
                violations.Add(new(PlanViolationKind.IllegalCut, $"Layer '{NameOf(layer)}' reads or makes an input or output of the model that cannot travel, so it must be on the source device '{IdOf(model.Source)}'."));
        }
    }

    private void AddReplicas(IReadOnlyList<int[]> assignments, ImmutableArray<PlanViolation>.Builder violations)
    {
        if (FindReplicated(assignments) is var (layer, devices))
        {
            violations.Add(new(PlanViolationKind.MaximumReplicas,
                $"Layer '{NameOf(layer)}' is on {devices} devices; {model.Problem.Constraints.MaximumReplicas} are allowed. Raise {nameof(PlanConstraints.MaximumReplicas)}."));
        }
    }

    /// <summary>The first layer that is on more devices than allowed, and on how many.</summary>
    private (int Layer, int Devices)? FindReplicated(IReadOnlyList<int[]> assignments)
    {
        var devices = new HashSet<int>();
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            devices.Clear();
            foreach (int[] assignment in assignments)
                devices.Add(assignment[layer]);
            if (devices.Count > model.Problem.Constraints.MaximumReplicas)
                return (layer, devices.Count);
        }
        return null;
    }

    private void AddResources(PlacementLoads loads, int device, ImmutableArray<PlanViolation>.Builder violations)
    {
        Device about = model.Devices[device];
        if (!IsLoadAllowed(loads, device))
        {
            violations.Add(new(PlanViolationKind.Load, string.Create(CultureInfo.InvariantCulture,
                $"Device '{about.Id}' is loaded by {about.CurrentLoad:P0} and the plan adds {ShareOf(loads, device):P0}; {about.AllowedLoad:P0} is allowed.")));
        }
        if (!FitsMemory(loads, device))
        {
            long needed = loads.WeightBytes[device] + ActivationBytes(loads, device);
            violations.Add(new(PlanViolationKind.Memory, string.Create(CultureInfo.InvariantCulture,
                $"Device '{about.Id}' lacks {needed - about.MemoryBytes:N0} bytes of memory: the plan needs {needed:N0}, it has {about.MemoryBytes:N0}.")));
        }
    }

    private string IdOf(int device) => model.Devices[device].Id;

    private string NameOf(int layer) => model.Problem.Graph.Layers[layer].Name;
}

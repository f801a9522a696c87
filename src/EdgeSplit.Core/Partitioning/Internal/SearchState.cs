using System.Globalization;

namespace EdgeSplit.Partitioning.Internal;

/// <summary>A problem with one assignment that a search changes unit by unit. Not thread-safe.</summary>
internal sealed class SearchState
{
    /// <summary>With more units than this, walking all of them for each move takes too long.</summary>
    private const int MostExactUnits = 1000;

    private readonly ConstraintChecker _checker;

    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NoFeasiblePlan"/>: a layer has no device that may run it.</exception>
    public SearchState(PlacementModel model, PlacementUnits units)
    {
        Model = model;
        Units = units;
        Loads = new PlacementLoads(model);
        Score = new PlacementScore(model, Loads);
        _checker = new ConstraintChecker(model);
    }

    public PlacementModel Model { get; }

    public PlacementUnits Units { get; }

    public PlacementLoads Loads { get; }

    public PlacementScore Score { get; }

    /// <summary>What the search has done so far, in layers and values touched.</summary>
    public long Work => Loads.Work + Score.Work + _checker.Work;

    public int DeviceOf(int unit) => Loads.Assignment[Units.Layers[unit][0]];

    public void Move(int unit, int device) => Loads.Move(Units.Layers[unit], Units.Values[unit], device);

    public double Objective() => Score.Objective();

    /// <summary>Whether a device's memory and load allow what is on it.</summary>
    public bool Fits(int device) => _checker.Fits(Loads, device);

    /// <summary>Whether a device's memory and load certainly allow what is on it: as <see cref="Fits"/> for few units, a quick and careful guess for many.</summary>
    public bool FitsAtOnce(int device) => Units.Count <= MostExactUnits ? Fits(device) : _checker.FitsSurely(Loads, device);

    /// <summary>Whether a device could hold what is on it when more comes; what is held is counted without activations.</summary>
    public bool FitsPartly(int device) => _checker.FitsPartly(Loads, device);

    /// <summary>Bytes of weights and activations of what is on a device.</summary>
    public long NeededBytes(int device) => Loads.WeightBytes[device] + _checker.ActivationBytes(Loads, device);

    /// <summary>Whether no more devices are in use than allowed.</summary>
    public bool HasDevicesToSpare => Model.Problem.Constraints.MaximumDevices is not int most || Loads.UsedDevices() <= most;

    /// <summary>Whether memory, load and the number of devices allow the assignment; the units are taken to be on devices they may be on.</summary>
    public bool IsFeasible()
    {
        for (int device = 0; device < Model.DeviceCount; device++)
        {
            if (!Fits(device))
                return false;
        }
        return HasDevicesToSpare;
    }

    /// <summary>Whether two devices, one of which has just given a unit to the other, hold what they have.</summary>
    public bool FitsAfterMove(int from, int to) =>
        // What stays behind may need more: values that were passed on are now kept until they are sent.
        Fits(to) && Fits(from) && HasDevicesToSpare;

    /// <summary>Says which constraint the assignment breaks.</summary>
    public EdgeSplitException NoFeasiblePlan() => new(EdgeSplitError.NoFeasiblePlan,
        string.Create(CultureInfo.InvariantCulture, $"Found no placement of model '{Model.Problem.Graph.Name}' on {Model.DeviceCount} devices that satisfies every constraint. ")
        + string.Join(" ", _checker.Violations(Loads).Take(3).Select(static violation => violation.Message))
        + " Add a device, or loosen the constraint.");
}

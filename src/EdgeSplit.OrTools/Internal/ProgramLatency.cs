using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>
/// When layers end at the earliest: after what they read has come, and one at a time where a device runs one at a time. The evaluator's
/// stages and queues of transfers can only be later.
/// </summary>
internal sealed class ProgramLatency(
    CpModel program, PlacementModel model, PlacementUnits units, BoolVar?[,] placed, ProgramObjective objective, ProgramLoads loads)
{
    /// <summary>Above this many deliveries only the shortest of each value is counted.</summary>
    private const long MostDeliveries = 300_000;

    /// <summary>Above this many layers times devices they are not kept from running at the same time.</summary>
    private const long MostIntervals = 4_000;

    private readonly IntVar[] _ends = new IntVar[model.LayerCount];

    public void Add()
    {
        LinearExpr[] durations = [.. Enumerable.Range(0, model.LayerCount).Select(Duration)];
        for (int layer = 0; layer < _ends.Length; layer++)
        {
            _ends[layer] = program.NewIntVar(0, TickScale.Most * 64, "");
            program.Add(_ends[layer] >= durations[layer]);
            program.Add(objective.Latency >= _ends[layer]);
        }
        bool all = (long)model.Graph.ValueCount * model.DeviceCount * model.DeviceCount <= MostDeliveries;
        for (int value = 0; value < model.Graph.ValueCount; value++)
            AddValue(value, durations, all);
        for (int device = 0; device < model.DeviceCount; device++)
        {
            program.Add(model.Slots[device] * objective.Latency >= loads.Compute[device]);
            if (model.Slots[device] == 1 && (long)model.LayerCount * model.DeviceCount <= MostIntervals)
                RunOneAtATime(device);
            if (objective.HasIdlePower && model.Devices[device].IdleWatts > 0)
                AddIdle(device);
        }
    }

    private LinearExpr Duration(int layer)
    {
        LinearExprBuilder sum = LinearExpr.NewBuilder();
        foreach (int device in units.Choices[units.UnitOf[layer]])
            sum.AddTerm(placed[units.UnitOf[layer], device]!, Ticks(layer, device));
        return sum;
    }

    private long Ticks(int layer, int device) => objective.Seconds.Floor(model.SecondsOf(layer, device));

    private long DeliveryTicks(int value, int from, int to) => objective.Seconds.Floor(model.DeliverySeconds(value, from, to));

    private void AddValue(int value, LinearExpr[] durations, bool all)
    {
        int producer = model.Graph.Producers[value];
        if (producer < 0)
        {
            foreach (int reader in model.Source < 0 ? [] : model.Graph.Consumers(value).ToArray())
            {
                foreach (int device in units.Choices[units.UnitOf[reader]].Where(device => device != model.Source))
                    program.Add(_ends[reader] >= durations[reader] + DeliveryTicks(value, model.Source, device)).OnlyEnforceIf(placed[units.UnitOf[reader], device]!);
            }
            return;
        }
        int maker = units.UnitOf[producer];
        foreach (int reader in model.Graph.Consumers(value))
        {
            int unit = units.UnitOf[reader];
            program.Add(_ends[reader] >= _ends[producer] + durations[reader]);
            if (unit == maker || !all)
                continue;
            foreach (int home in units.Choices[maker])
            {
                foreach (int device in units.Choices[unit].Where(device => device != home))
                    program.Add(_ends[reader] >= _ends[producer] + durations[reader] + DeliveryTicks(value, home, device)).OnlyEnforceIf([placed[maker, home]!, placed[unit, device]!]);
            }
        }
        if (!model.Graph.IsOutput[value] || model.Source < 0)
            return;
        foreach (int home in units.Choices[maker].Where(home => home != model.Source))
            program.Add(objective.Latency >= _ends[producer] + DeliveryTicks(value, home, model.Source)).OnlyEnforceIf(placed[maker, home]!);
    }

    private void RunOneAtATime(int device)
    {
        var intervals = new List<IntervalVar>();
        for (int layer = 0; layer < model.LayerCount; layer++)
        {
            long ticks = placed[units.UnitOf[layer], device] is null ? 0 : Ticks(layer, device);
            if (ticks > 0)
                intervals.Add(program.NewOptionalFixedSizeIntervalVar(_ends[layer] - ticks, ticks, placed[units.UnitOf[layer], device]!, ""));
        }
        program.AddNoOverlap(intervals);
    }

    /// <summary>A device with a layer waits for as long as the request lasts and it does not compute.</summary>
    private void AddIdle(int device)
    {
        IntVar waits = objective.AddIdle(device);
        BoolVar isUsed = program.NewBoolVar("");
        for (int unit = 0; unit < units.Count; unit++)
        {
            if (placed[unit, device] is BoolVar here)
                program.AddImplication(here, isUsed);
        }
        // A tick less for each layer that may be rounded: computing longer than is counted makes the device wait less.
        program.Add(waits >= objective.Latency - loads.Compute[device] - Math.Max(1, 2 * model.LayerCount)).OnlyEnforceIf(isUsed);
    }
}

using EdgeSplit.Partitioning.Internal;
using Google.OrTools.Sat;

namespace EdgeSplit.OrTools.Internal;

/// <summary>The memory that weights and, of the activations, the largest layer on a device take; the peak of all activations is left to the evaluator.</summary>
internal sealed class ProgramMemory(CpModel program, PlacementModel model, PlacementUnits units, BoolVar?[,] placed)
{
    /// <summary>Larger limits are counted in more than a byte.</summary>
    private const long MostSteps = 1L << 40;

    public void Add()
    {
        ILookup<int, int> readers = Enumerable.Range(0, units.Count)
            .SelectMany(unit => units.Layers[unit].SelectMany(layer => model.WeightsOf(layer).ToArray()).Distinct().Select(weight => (weight, unit)))
            .ToLookup(static pair => pair.weight, static pair => pair.unit);
        long all = model.Problem.Graph.Weights.Sum(static weight => weight.ByteCount);
        long allActivations = model.Graph.Bytes.Sum();
        for (int device = 0; device < model.DeviceCount; device++)
        {
            long limit = model.Devices[device].MemoryBytes - model.HeldActivationBytes[device];
            if (limit >= 0 && (limit - all) / model.Slots[device] >= allActivations)
                continue;
            AddDevice(device, limit, readers);
        }
    }

    private void AddDevice(int device, long limit, ILookup<int, int> readers)
    {
        var held = new HashSet<int>();
        foreach (int[] assignment in model.HeldAssignments)
        {
            for (int layer = 0; layer < assignment.Length; layer++)
            {
                if (assignment[layer] == device)
                    held.UnionWith(model.WeightsOf(layer).ToArray());
            }
        }
        limit -= held.Sum(weight => model.Problem.Graph.Weights[weight].ByteCount);
        if (limit < 0)
        {
            // What it holds is too much already; that stands only against a plan that uses it.
            for (int unit = 0; unit < units.Count; unit++)
            {
                if (placed[unit, device] is BoolVar here)
                    program.Add(here == 0);
            }
            return;
        }
        long step = Math.Max(1, limit / MostSteps);
        var own = new long[units.Count];
        LinearExprBuilder sum = LinearExpr.NewBuilder();
        foreach (IGrouping<int, int> weight in readers)
        {
            if (held.Contains(weight.Key))
                continue;
            long bytes = model.Problem.Graph.Weights[weight.Key].ByteCount;
            BoolVar[] here = [.. weight.Select(unit => placed[unit, device]).OfType<BoolVar>()];
            if (weight.Count() == 1)
            {
                own[weight.First()] += bytes;
            }
            else if (here.Length > 0)
            {
                BoolVar isHeld = program.NewBoolVar("");
                foreach (BoolVar reader in here)
                    program.AddImplication(reader, isHeld);
                sum.AddTerm(isHeld, Steps(bytes, step));
            }
        }
        IntVar activations = program.NewIntVar(0, MostSteps * 2, "");
        for (int unit = 0; unit < units.Count; unit++)
        {
            if (placed[unit, device] is not BoolVar here)
                continue;
            if (own[unit] > 0)
                sum.AddTerm(here, Steps(own[unit], step));
            long least = Steps(model.Slots[device] * units.Layers[unit].Max(ActivationsOf), step);
            if (least > 0)
                program.Add(activations >= least * here);
        }
        sum.Add(activations);
        program.Add(sum <= (limit / step) + 1);
    }

    /// <summary>While a layer runs, what it reads and what it makes are there.</summary>
    private long ActivationsOf(int layer)
    {
        long bytes = 0;
        foreach (int value in model.Graph.Inputs(layer))
            bytes += model.Graph.Bytes[value];
        foreach (int value in model.Graph.Outputs(layer))
            bytes += model.Graph.Bytes[value];
        return bytes;
    }

    private static long Steps(long bytes, long step) => Math.Min(bytes / step, MostSteps * 2);
}

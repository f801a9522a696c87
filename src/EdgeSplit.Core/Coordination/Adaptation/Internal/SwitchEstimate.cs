using EdgeSplit.Devices;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Coordination.Adaptation.Internal;

/// <summary>What switching from one plan to another is estimated to take.</summary>
/// <param name="BytesToMove">Weights that devices do not hold for the plan in use.</param>
/// <param name="Time">Until the last device is ready; devices fetch and build side by side.</param>
internal readonly record struct SwitchEstimate(long BytesToMove, TimeSpan Time)
{
    // Reading weights and building a session: measured with ONNX Runtime at 0.3 to 1 GB/s (docs/costs.md), on top of some fixed work.
    private const double LoadBytesPerSecond = 0.5e9;
    private static readonly TimeSpan SessionTime = TimeSpan.FromMilliseconds(30);

    /// <param name="problem">The problem that both are for, with the plan in use.</param>
    /// <param name="candidate">The other plan.</param>
    public static SwitchEstimate Of(PartitionProblem problem, PartitionPlan candidate)
    {
        int deviceCount = problem.Fleet.Devices.Length;
        var held = new HashSet<int>[deviceCount];
        var needed = new HashSet<int>[deviceCount];
        for (int device = 0; device < deviceCount; device++)
            (held[device], needed[device]) = ([], []);
        foreach (PlanRoute route in problem.CurrentRoutes)
        {
            for (int layer = 0; layer < problem.Graph.Layers.Length; layer++)
            {
                if (route.Assignment[layer] is >= 0 and int before)
                    held[before].UnionWith(problem.Graph.Layers[layer].Weights);
            }
        }
        foreach (PlanStage stage in candidate.Stages)
        {
            foreach (int layer in stage.Layers)
                needed[stage.Device].UnionWith(problem.Graph.Layers[layer].Weights);
        }
        long moved = 0;
        TimeSpan longest = TimeSpan.Zero;
        for (int device = 0; device < deviceCount; device++)
        {
            if (needed[device].Count == 0)
                continue;
            long missing = needed[device].Where(weight => !held[device].Contains(weight)).Sum(weight => problem.Graph.Weights[weight].ByteCount);
            long loaded = needed[device].Sum(weight => problem.Graph.Weights[weight].ByteCount);
            Link link = problem.SourceDevice < 0 ? Link.Local : problem.Fleet.LinkBetween(problem.SourceDevice, device);
            TimeSpan time = SessionTime + TimeSpan.FromSeconds((missing / link.BytesPerSecond) + (loaded / LoadBytesPerSecond));
            moved += missing;
            longest = time > longest ? time : longest;
        }
        return new SwitchEstimate(moved, longest);
    }
}

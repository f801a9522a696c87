using System.Text.Json;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>Writes a split in the shape of the reference's own split files.</summary>
internal static class SplitFile
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="path">The file.</param>
    /// <param name="workload">The workload.</param>
    /// <param name="assignment">The device of each node, in the order of the workload's nodes; the host comes last.</param>
    /// <param name="loads">The load of each device.</param>
    public static void Write(string path, AcceleratorWorkload workload, IReadOnlyList<int> assignment, IReadOnlyList<double> loads)
    {
        WorkloadNode[] nodes = [.. workload.Nodes];
        object PartOf(int device) => new
        {
            load = loads[device],
            nodes = Enumerable.Range(0, nodes.Length).Where(layer => assignment[layer] == device).Select(layer => nodes[layer].Id).Order().ToArray(),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(new
        {
            cpus = new[] { PartOf(workload.Host) },
            fpgas = Enumerable.Range(0, workload.Accelerators).Select(PartOf).ToArray(),
        }, Indented));
    }
}

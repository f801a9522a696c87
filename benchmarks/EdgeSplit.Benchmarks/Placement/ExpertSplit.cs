using System.Text.Json;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>A split that comes with the workloads, made by hand. Such splits keep neither the memory limits of the latency workloads nor their number of accelerators.</summary>
internal sealed class ExpertSplit
{
    private ExpertSplit(int[] assignment, int accelerators) => (Assignment, Accelerators) = (assignment, accelerators);

    /// <summary>The accelerator of each node; <see cref="Accelerators"/> is the host.</summary>
    public int[] Assignment { get; }

    public int Accelerators { get; }

    /// <summary>Reads the split of a workload; null where there is none in the folder.</summary>
    public static ExpertSplit? Find(string folder, AcceleratorWorkload workload)
    {
        string name = $"{Path.GetFileNameWithoutExtension(workload.Path)}_expert.json";
        if (Path.GetFileName(Path.GetDirectoryName(workload.Path)) != "LayerGraphs"
            || Directory.EnumerateFiles(folder, name, SearchOption.AllDirectories).FirstOrDefault() is not string path)
            return null;
        using var split = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement accelerators = split.RootElement.GetProperty("fpgas");
        var devices = new Dictionary<int, int>();
        for (int device = 0; device < accelerators.GetArrayLength(); device++)
        {
            foreach (JsonElement node in accelerators[device].GetProperty("nodes").EnumerateArray())
                devices[node.GetInt32()] = device;
        }
        return new ExpertSplit([.. workload.Nodes.Select(node => devices.GetValueOrDefault(node.Id, accelerators.GetArrayLength()))], accelerators.GetArrayLength());
    }

    /// <summary>The bytes of the fullest accelerator.</summary>
    public double MostBytes(AcceleratorWorkload workload)
    {
        var bytes = new double[Accelerators + 1];
        foreach ((WorkloadNode node, int device) in workload.Nodes.Zip(Assignment))
            bytes[device] += node.Size;
        return bytes[..Accelerators].Max();
    }
}

using EdgeSplit.Devices;

namespace EdgeSplit.Simulation.Internal;

/// <summary>A machine of the scenario, whose agent may crash and be started anew while its conditions and its weights stay.</summary>
internal sealed class SimulatedHost
{
    private readonly Lock _lock = new();
    private readonly HashSet<Storage.ContentHash> _blobs = [];

    public SimulatedHost(TimeProvider time, ScenarioDevice description, int seed)
    {
        Time = time;
        Device = description.Device;
        Noise = new NoiseSource(seed, Device.Id);
        Network = new SimulatedInterface(time, description.Latency, description.BytesPerSecond, Noise);
        Processor = new SimulatedProcessor(time, Device, Noise);
    }

    public TimeProvider Time { get; }

    public Device Device { get; }

    public NoiseSource Noise { get; }

    public SimulatedInterface Network { get; }

    public SimulatedProcessor Processor { get; }

    /// <summary>The agent that runs on it, or null.</summary>
    public SimulatedAgent? Agent { get; set; }

    /// <summary>Keeps blobs, and gives the bytes of those that it lacked.</summary>
    public long Keep(IEnumerable<Storage.BlobReference> blobs)
    {
        lock (_lock)
            return blobs.Where(blob => _blobs.Add(blob.Hash)).Sum(static blob => blob.ByteCount);
    }
}

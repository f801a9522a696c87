using System.Globalization;

namespace EdgeSplit.Simulation;

/// <summary>A change of conditions at some time; what is null stays as it is. Factors are of the values that the scenario starts with.</summary>
public sealed record ScenarioChange
{
    /// <summary>When, from the start.</summary>
    public required TimeSpan At { get; init; }

    /// <summary>The device's id; null for all devices.</summary>
    public string? DeviceId { get; init; }

    /// <summary>What happens to its agent.</summary>
    public ScenarioEvent? Event { get; init; }

    /// <summary>What its rates are multiplied by: 0.25 for a quarter of its speed. Nobody tells the coordinator.</summary>
    public double? SpeedFactor { get; init; }

    /// <summary>The share in 0..1 of the device that other programs take, which its reports tell.</summary>
    public double? OtherLoad { get; init; }

    /// <summary>What its link's bandwidth is multiplied by.</summary>
    public double? BandwidthFactor { get; init; }

    /// <summary>What its link's latency is multiplied by.</summary>
    public double? LatencyFactor { get; init; }

    /// <summary>The largest deviation of all its times and reports, as a share: 0.2 for ±20%.</summary>
    public double? Noise { get; init; }

    /// <summary>Requests per second from now on.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>The change in words.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        string who = DeviceId is null ? "all devices" : $"'{DeviceId}'";
        if (Event is { } what)
            parts.Add($"{what} of {who}");
        Add(SpeedFactor, "speed");
        Add(OtherLoad, "other load");
        Add(BandwidthFactor, "bandwidth");
        Add(LatencyFactor, "latency");
        Add(Noise, "noise");
        if (RequestsPerSecond is double rate)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{rate:g4} requests/s"));
        return string.Join(", ", parts);

        void Add(double? value, string name)
        {
            if (value is double number)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{name} of {who} {(name.StartsWith("other", StringComparison.Ordinal) || name == "noise" ? "" : "× ")}{number:g4}"));
        }
    }
}

using System.Globalization;

namespace EdgeSplit.Simulation.Internal;

/// <summary>Whether a scenario can be played.</summary>
internal static class ScenarioChecks
{
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>, with the member that is wrong.</exception>
    public static void Check(Scenario scenario)
    {
        Require(!scenario.Devices.IsDefaultOrEmpty, "devices", "at least one device is needed");
        Require(scenario.Devices.Any(static device => device.IsPresent), "devices", "at least one device must be present at the start");
        Require(scenario.Duration > TimeSpan.Zero, "durationSeconds", "must be more than 0");
        Require(scenario.Deadline > TimeSpan.Zero, "deadlineSeconds", "must be more than 0");
        CheckNotNegative(scenario.RequestsPerSecond, "requestsPerSecond");
        CheckShare(scenario.Noise, "noise");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < scenario.Devices.Length; i++)
        {
            ScenarioDevice device = scenario.Devices[i];
            Require(ids.Add(device.Device.Id), $"devices[{i}].id", $"'{device.Device.Id}' is there twice");
            CheckPositive(device.BytesPerSecond, $"devices[{i}].bytesPerSecond");
            Require(device.Latency >= TimeSpan.Zero, $"devices[{i}].latencySeconds", "must be 0 or more");
            CheckPositive(device.Device.FlopsPerSecond, $"devices[{i}].flopsPerSecond");
            CheckPositive(device.Device.MemoryBytesPerSecond, $"devices[{i}].memoryBytesPerSecond");
            Require(device.Device.ConcurrentStages >= 1, $"devices[{i}].concurrentStages", "must be 1 or more");
        }
        for (int i = 0; i < scenario.Changes.Length; i++)
        {
            ScenarioChange change = scenario.Changes[i];
            string member = $"changes[{i}]";
            Require(change.At >= TimeSpan.Zero && change.At <= scenario.Duration, $"{member}.atSeconds", "must lie within the scenario's duration");
            Require(change.DeviceId is null || ids.Contains(change.DeviceId), $"{member}.device", $"there is no device '{change.DeviceId}'");
            Require(change.Event is null || change.DeviceId is not null, $"{member}.event", "needs the device that it happens to");
            CheckPositive(change.SpeedFactor ?? 1, $"{member}.speedFactor");
            CheckPositive(change.BandwidthFactor ?? 1, $"{member}.bandwidthFactor");
            CheckNotNegative(change.LatencyFactor ?? 1, $"{member}.latencyFactor");
            CheckShare(change.OtherLoad ?? 0, $"{member}.otherLoad");
            CheckShare(change.Noise ?? 0, $"{member}.noise");
            CheckNotNegative(change.RequestsPerSecond ?? 0, $"{member}.requestsPerSecond");
        }
    }

    private static void CheckPositive(double value, string member) => Require(value > 0 && double.IsFinite(value), member, string.Create(CultureInfo.InvariantCulture, $"must be more than 0, not {value}"));

    private static void CheckNotNegative(double value, string member) => Require(value >= 0 && double.IsFinite(value), member, string.Create(CultureInfo.InvariantCulture, $"must be 0 or more, not {value}"));

    private static void CheckShare(double value, string member) => Require(value is >= 0 and < 1, member, string.Create(CultureInfo.InvariantCulture, $"must be 0 or more and below 1, not {value}"));

    private static void Require(bool condition, string member, string rule)
    {
        if (!condition)
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"The scenario cannot be played: {member}: {rule}.");
    }
}

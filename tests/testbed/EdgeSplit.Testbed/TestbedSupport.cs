using EdgeSplit.Testbed.Internal;

namespace EdgeSplit.Testbed;

/// <summary>What this machine lets a testbed do.</summary>
public static class TestbedSupport
{
    private static readonly Lazy<string?> WhyNoNetworks = new(FindWhyNoNetworks);

    /// <summary>Why there can be no networks and processor limits, as a sentence; null where there can be.</summary>
    public static string? NoNetworksReason => WhyNoNetworks.Value;

    /// <summary>Why processes cannot even be stopped and continued, as a sentence; null where they can be.</summary>
    public static string? NoProcessesReason => OperatingSystem.IsLinux() ? null : "The testbed stops processes and limits them as Linux does; this is another system.";

    private static string? FindWhyNoNetworks()
    {
        if (NoProcessesReason is { } reason)
            return reason;
        if (!Environment.IsPrivilegedProcess)
            return "Network namespaces and control groups need root.";
        if (CpuGroups.OfMachine is null)
            return "There are no control groups with a processor controller below /sys/fs/cgroup, neither of version 2 nor of version 1.";
        try
        {
            Command.Run("nsenter --version");
            using var network = new TestbedNetwork(hasInterfaces: true);
            AgentNetwork agent = network.Add(0);
            agent.Limit(1e6);
            var group = new CpuGroup(network.Prefix + "probe");
            group.Limit(0.5);
            return null;
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return $"Network namespaces, 'tc' or control groups do not work here: {exception.Message}";
        }
    }
}

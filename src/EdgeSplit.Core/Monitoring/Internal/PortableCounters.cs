using System.Net.NetworkInformation;

namespace EdgeSplit.Monitoring.Internal;

/// <summary>What .NET tells on every system.</summary>
internal sealed class PortableCounters : ISystemCounters
{
    public CounterReading Read()
    {
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        (double? received, double? sent) = Network();
        return new CounterReading
        {
            ProcessCpuSeconds = ProcessCpuSeconds(),
            ProcessMemoryBytes = Environment.WorkingSet,
            // Before the first collection the load is not known.
            AvailableMemoryBytes = memory.Index > 0 ? Math.Max(memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes, 0) : null,
            ReceivedBytes = received,
            SentBytes = sent,
        };
    }

    public static double? ProcessCpuSeconds() =>
        OperatingSystem.IsIOS() || OperatingSystem.IsTvOS() ? null : Environment.CpuUsage.TotalTime.TotalSeconds;

    private static (double? Received, double? Sent) Network()
    {
        try
        {
            double received = 0, sent = 0;
            foreach (NetworkInterface network in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (network.NetworkInterfaceType == NetworkInterfaceType.Loopback)
                    continue;
                IPInterfaceStatistics statistics = network.GetIPStatistics();
                received += statistics.BytesReceived;
                sent += statistics.BytesSent;
            }
            return (received, sent);
        }
        catch (Exception exception) when (exception is NetworkInformationException or PlatformNotSupportedException)
        {
            return (null, null);
        }
    }
}

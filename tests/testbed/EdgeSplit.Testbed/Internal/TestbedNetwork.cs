using System.Globalization;
using System.Net;

namespace EdgeSplit.Testbed.Internal;

/// <summary>
/// A bridge of the machine, and for each agent a network namespace that hangs on it by a pair of virtual interfaces. Everything
/// carries the testbed's number; who holds the lock of a number owns all that carries it, so that what a killed testbed has left
/// is removed by the next one.
/// </summary>
internal sealed class TestbedNetwork : IDisposable
{
    private const int Numbers = 200;

    private readonly FileStream _lock;
    private readonly bool _hasInterfaces;

    /// <summary>Takes a free number; makes the bridge where the testbed has a network of its own.</summary>
    public TestbedNetwork(bool hasInterfaces)
    {
        _hasInterfaces = hasInterfaces;
        (_lock, Number) = TakeNumber();
        try
        {
            RemoveLeftovers();
            if (!hasInterfaces)
                return;
            Command.Run($"ip link add {Bridge} type bridge");
            Command.Run($"ip link set {Bridge} gso_max_size {AgentNetwork.MostSegmentBytes}");
            Command.Run($"ip addr add {CoordinatorAddress}/24 dev {Bridge}");
            Command.Run($"ip link set {Bridge} up");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Number { get; }

    /// <summary>Where the coordinator listens.</summary>
    public IPAddress CoordinatorAddress => _hasInterfaces ? IPAddress.Parse($"10.231.{Number}.1") : IPAddress.Loopback;

    /// <summary>What names of control groups begin with.</summary>
    public string Prefix => $"edgesplit-{Number}-";

    private string Bridge => $"esbr{Number}";

    /// <summary>Bytes that this machine, and with it the coordinator, has sent to agents and received from them.</summary>
    public (long Sent, long Received) CoordinatorBytes => _hasInterfaces
        ? (InterfaceCounter.Read(Bridge, "tx_bytes"), InterfaceCounter.Read(Bridge, "rx_bytes"))
        : throw new InvalidOperationException("A testbed without networks does not count what passes.");

    /// <summary>Makes a namespace.</summary>
    public AgentNetwork Add(int index)
    {
        string space = Prefix + index.ToString(CultureInfo.InvariantCulture), outside = $"es{Number}h{index}", inside = $"es{Number}n{index}";
        IPAddress address = IPAddress.Parse($"10.231.{Number}.{index + 2}");
        Command.Run($"ip netns add {space}");
        Command.Run($"ip link add {outside} type veth peer name {inside}");
        Command.Run($"ip link set {inside} gso_max_size {AgentNetwork.MostSegmentBytes}");
        Command.Run($"ip link set {inside} netns {space}");
        Command.Run($"ip link set {outside} master {Bridge}");
        Command.Run($"ip link set {outside} up");
        Command.Run($"ip -n {space} addr add {address}/24 dev {inside}");
        Command.Run($"ip -n {space} link set {inside} up");
        Command.Run($"ip -n {space} link set lo up");
        return new AgentNetwork(space, address, outside, inside, Bridge);
    }

    public void Dispose()
    {
        RemoveLeftovers();
        _lock.Dispose();
    }

    private void RemoveLeftovers()
    {
        CpuGroup.RemoveLeftovers(Prefix);
        if (!_hasInterfaces)
            return;
        // Interfaces first: a namespace may live on for some time after it was deleted, and with it the pair that it holds one end of.
        foreach (string line in Command.Run("ip -o link show type veth").Split('\n'))
        {
            string name = line.Split(' ').ElementAtOrDefault(1)?.Split('@')[0] ?? "";
            if (name.StartsWith($"es{Number}h", StringComparison.Ordinal))
                Command.TryRun($"ip link del {name}", out _);
        }
        foreach (string line in Command.Run("ip netns list").Split('\n'))
        {
            if (line.StartsWith(Prefix, StringComparison.Ordinal))
                Command.Run($"ip netns del {line.Split(' ')[0]}");
        }
        if (Command.TryRun($"ip link show {Bridge}", out _))
            Command.Run($"ip link del {Bridge}");
    }

    private static (FileStream Lock, int Number) TakeNumber()
    {
        for (int number = 0; number < Numbers; number++)
        {
            try
            {
                return (new FileStream(Path.Combine(Path.GetTempPath(), $"edgesplit-testbed-{number}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), number);
            }
            catch (IOException)
            {
                // Another testbed has it.
            }
        }
        throw new InvalidOperationException($"{Numbers} testbeds run on this machine already.");
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeSplit.Testbed.Internal;

namespace EdgeSplit.Testbed;

/// <summary>An <c>edgesplit agent</c> process, with what it stands on: its link and its share of the processors.</summary>
/// <remarks>It joins the testbed's coordinator, and again after each loss, and listens for the other agents. Not thread-safe.</remarks>
public sealed class TestbedAgent
{
    private readonly string[] _command;
    private readonly AgentNetwork? _network;
    private readonly CpuGroup? _group;
    private readonly StringBuilder _output = new();
    private Process? _process;

    internal TestbedAgent(string id, string[] command, AgentNetwork? network, CpuGroup? group)
    {
        Id = id;
        _network = network;
        _group = group;
        // The process enters its group before it runs, so that nothing of it escapes the limit.
        _command = group is null ? command : ["sh", "-c", $"echo $$ > {group.ProcessesFile}; exec \"$@\"", "sh", .. network?.Enter ?? [], .. command];
    }

    /// <summary>The agent's id, the same after each restart.</summary>
    public string Id { get; }

    /// <summary>The id of the process; 0 while there is none.</summary>
    public int ProcessId => _process is { HasExited: false } process ? process.Id : 0;

    /// <summary>Whether it has a link that can be limited and cut, and a limit of processors.</summary>
    public bool HasNetwork => _network is not null;

    /// <summary>Bytes that have gone over the agent's link: sent by it, and received.</summary>
    public (long Sent, long Received) LinkBytes => (Network.SentBytes, Network.ReceivedBytes);

    /// <summary>What the process has written.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>The memory of the process that is resident; 0 while there is none.</summary>
    public long ResidentBytes => Read("/proc/{0}/status", "VmRSS:");

    /// <summary>The same, pages that several processes map counted in parts; 0 while there is none.</summary>
    public long ProportionalBytes => Read("/proc/{0}/smaps_rollup", "Pss:");

    /// <summary>Starts the process; it joins on its own.</summary>
    public void Start()
    {
        if (ProcessId != 0)
            throw new InvalidOperationException($"Agent '{Id}' runs already.");
        var start = new ProcessStartInfo(_command[0], _command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        _process?.Dispose();
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Append(line.Data);
        _process.ErrorDataReceived += (_, line) => Append(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ends the process at once, as <c>kill -9</c> does, and waits until it is gone.</summary>
    public void Kill()
    {
        if (ProcessId == 0)
            return;
        ProcessSignal.TrySend(ProcessId, ProcessSignal.Kill);
        _process!.WaitForExit();
    }

    /// <summary>Stops the process where it stands (<c>SIGSTOP</c>).</summary>
    public void Stop() => ProcessSignal.TrySend(ProcessId, ProcessSignal.Stop);

    /// <summary>Lets a stopped process go on.</summary>
    public void Continue() => ProcessSignal.TrySend(ProcessId, ProcessSignal.Continue);

    /// <summary>Limits the agent's link, in each direction; null lifts the limit.</summary>
    public void LimitLink(double? bytesPerSecond) => Network.Limit(bytesPerSecond);

    /// <summary>Lets nothing through the agent's link, without either side being told.</summary>
    public void CutLink() => Network.Cut();

    /// <summary>Undoes <see cref="CutLink"/>.</summary>
    public void MendLink() => Network.Mend();

    /// <summary>Limits the processors that the agent computes on, such as 0.5; null lifts the limit.</summary>
    public void LimitProcessors(double? processors) => (_group ?? throw NoNetwork()).Limit(processors);

    internal void Remove()
    {
        if (_process is not null)
        {
            Kill();
            // So that the other side learns of it.
            _network?.Mend();
            _process.Dispose();
        }
        _group?.Remove();
    }

    private AgentNetwork Network => _network ?? throw NoNetwork();

    private InvalidOperationException NoNetwork() => new($"Agent '{Id}' has no link or limit of its own: {TestbedSupport.NoNetworksReason ?? "the testbed was started without networks."}");

    private long Read(string file, string field)
    {
        try
        {
            foreach (string line in File.ReadLines(string.Format(CultureInfo.InvariantCulture, file, ProcessId)))
            {
                if (line.StartsWith(field, StringComparison.Ordinal))
                    return 1024 * long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
            }
        }
        catch (IOException)
        {
            // It ended meanwhile.
        }
        return 0;
    }

    private void Append(string? line)
    {
        if (line is null)
            return;
        lock (_output)
            _output.AppendLine(line);
    }
}

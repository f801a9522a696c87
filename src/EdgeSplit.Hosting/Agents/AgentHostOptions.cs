using EdgeSplit.Agents;

namespace EdgeSplit.Hosting;

/// <summary>What an application's agent may use.</summary>
public sealed class AgentHostOptions
{
    /// <summary>The agent's id, unique among the agents of a coordinator and the same after a restart.</summary>
    /// <value>Default: the machine's name.</value>
    public string Id { get; set; } = DefaultId();

    /// <summary>Threads that one part of a model runs on; 0 for one on each processor.</summary>
    /// <value>Default: 0.</value>
    public int Threads { get; set; }

    /// <summary>Parts of models that run at the same time.</summary>
    /// <value>Default: 1.</value>
    public int ConcurrentStages { get; set; } = 1;

    /// <summary>A folder that keeps weights between runs and, until the application ends, partitions as ONNX Runtime has rewritten them; null for a temporary one.</summary>
    public string? Blobs { get; set; }

    /// <summary>Changes what has no option here, such as the device's description or the monitor; null for nothing.</summary>
    public Func<EdgeAgentOptions, EdgeAgentOptions>? Customize { get; set; }

    private static string DefaultId()
    {
        char[] name = [.. Environment.MachineName.Where(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')];
        return name.Length == 0 ? "agent" : new string(name);
    }
}

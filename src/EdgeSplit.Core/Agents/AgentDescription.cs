using EdgeSplit.Devices;

namespace EdgeSplit.Agents;

/// <summary>What an agent is.</summary>
public sealed record AgentDescription
{
    /// <summary>The device as planning sees it; its id is the agent's.</summary>
    public required Device Device { get; init; }

    /// <summary>The runtime that executes partitions and its version, such as <c>onnxruntime 1.31.1</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The execution provider in use, such as <c>CPU</c> or <c>CUDA</c>.</summary>
    public required string ExecutionProvider { get; init; }

    /// <summary>The machine's name.</summary>
    public string HostName { get; init; } = "";

    /// <summary>The operating system and processor architecture, such as <c>linux-x64</c>.</summary>
    public string Platform { get; init; } = "";

    /// <summary>Processor cores that the agent may use.</summary>
    public int ProcessorCount { get; init; }

    /// <summary>Where other agents may connect to this one: the address that the coordinator has connected to, unless the agent names another; null where it cannot be connected to.</summary>
    public string? Address { get; init; }
}

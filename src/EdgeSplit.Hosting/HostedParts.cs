namespace EdgeSplit.Hosting;

/// <summary>Which parts an application has added.</summary>
internal sealed class HostedParts(string section)
{
    /// <summary>The section of the configuration that holds the parts' sections.</summary>
    public string Section => section;

    public bool HasCoordinator { get; set; }

    public bool HasAgent { get; set; }

    public bool UsesTcp { get; set; }

    public bool UsesGrpc { get; set; }

    public bool HasGrpcServices { get; set; }

    /// <summary>Whether the agent is there for others: in one process with a coordinator, it is given to that.</summary>
    public bool ServesAgent => HasAgent && !HasCoordinator;

    /// <summary>The name of an option as an operator would write it.</summary>
    public string Key(string part, string option) => $"{section}:{part}:{option}";
}

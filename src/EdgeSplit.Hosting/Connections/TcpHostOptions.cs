namespace EdgeSplit.Hosting;

/// <summary>How an application uses the TCP transport.</summary>
public sealed class TcpHostOptions : ConnectionSecurity
{
    /// <summary>Where to listen, as <c>HOST:PORT</c>: a coordinator for agents that join, an agent for coordinators and other agents; null not to.</summary>
    public string? Listen { get; set; }

    /// <summary>
    /// Of an agent: where other agents reach the port of <see cref="Listen"/>, as <c>HOST:PORT</c>, or <c>*:PORT</c> for the address at which
    /// the coordinator sees this machine; null for where it listens.
    /// </summary>
    public string? Advertise { get; set; }

    /// <summary>Of a coordinator: the agents to connect to, each as <c>HOST:PORT</c>, and again whenever they are lost.</summary>
    public IList<string> Agents { get; } = [];

    /// <summary>Of an agent: the coordinator to join, as <c>HOST:PORT</c>; null to join none.</summary>
    public string? Join { get; set; }
}

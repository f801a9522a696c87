namespace EdgeSplit.Hosting;

/// <summary>How an application uses gRPC.</summary>
public sealed class GrpcHostOptions : ConnectionSecurity
{
    /// <summary>Of an agent: where to listen for coordinators on a port of its own, as <c>ADDRESS:PORT</c>; null to map it in the web application.</summary>
    public string? Listen { get; set; }

    /// <summary>Of a coordinator: the agents to connect to, each as <c>http://HOST:PORT</c> or <c>https://HOST:PORT</c>, and again whenever they are lost.</summary>
    public IList<string> Agents { get; } = [];

    /// <summary>
    /// Of a coordinator: whether agents may join on the ports that the web application maps its services on. They send the token of
    /// <see cref="ConnectionSecurity.TokenFile"/>; without one only those on this machine, or with a client's certificate, are let in.
    /// </summary>
    public bool TakesAgents { get; set; }

    /// <summary>Of an agent: the coordinator to join, as <c>http://HOST:PORT</c> or <c>https://HOST:PORT</c>; null to join none.</summary>
    public string? Join { get; set; }

    /// <summary>
    /// A file with the token that clients of a coordinator send to the services that the web application maps; null for none, which
    /// answers callers on this machine alone.
    /// </summary>
    public string? ClientTokenFile { get; set; }

    /// <summary>The largest tensor that is taken, in bytes.</summary>
    /// <value>Default: 1 GiB.</value>
    public int MaxTensorBytes { get; set; } = 1 << 30;
}

using System.Security.Cryptography.X509Certificates;

namespace EdgeSplit.Transport.Security;

/// <summary>How the connecting side encrypts. TLS 1.3 only.</summary>
public sealed record TlsClientOptions
{
    /// <summary>The authorities of which one must have issued the agent's certificate; null for those that this machine trusts.</summary>
    public X509Certificate2Collection? Authorities { get; init; }

    /// <summary>The own certificate, with its private key, for agents that ask for one.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The name or address that the agent's certificate must have; null for the one that is connected to.</summary>
    public string? ServerName { get; init; }
}

using System.Security.Cryptography.X509Certificates;

namespace EdgeSplit.Transport.Security;

/// <summary>How the accepting side encrypts. TLS 1.3 only.</summary>
public sealed record TlsServerOptions
{
    /// <summary>The certificate, with its private key, for a name or address under which peers connect.</summary>
    public required X509Certificate2 Certificate { get; init; }

    /// <summary>The authorities of which one must have issued the peer's certificate; null to ask for none.</summary>
    public X509Certificate2Collection? ClientAuthorities { get; init; }
}

namespace EdgeSplit.Transport.Duplex;

/// <summary>A connection that is encrypted to a certificate.</summary>
public interface ISecuredConnection : IDuplexConnection
{
    /// <summary>The SHA-256 of the accepting side's certificate, the same on both sides unless someone sits between them.</summary>
    ReadOnlyMemory<byte> ServerCertificateHash { get; }
}

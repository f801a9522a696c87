using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace EdgeSplit.Grpc;

/// <summary>Where and how a <see cref="GrpcAgentServer"/> listens.</summary>
public sealed record GrpcAgentServerOptions : GrpcServiceOptions
{
    /// <summary>Where to listen; port 0 takes any free port.</summary>
    /// <value>Default: any free port of the loopback address.</value>
    public IPEndPoint EndPoint { get; init; } = new(IPAddress.Loopback, 0);

    /// <summary>The certificate, with its private key, for a name or address under which coordinators connect; null for no TLS.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>With a certificate: the authorities of which one must have issued the coordinator's certificate; null to ask for none.</summary>
    public X509Certificate2Collection? ClientAuthorities { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(EndPoint);
        bool isGuarded = Token is not null || (Certificate is not null && ClientAuthorities is not null);
        if (!isGuarded && !DangerouslyAllowUnauthenticatedRemoteCalls && !IPAddress.IsLoopback(EndPoint.Address))
        {
            throw new EdgeSplitException(
                EdgeSplitError.AccessDenied,
                $"Listening on {EndPoint} would let anyone in who reaches it. Set a token or client authorities, listen on 127.0.0.1 only, "
                    + $"or set {nameof(DangerouslyAllowUnauthenticatedRemoteCalls)} if everyone there is trusted.");
        }
    }
}

using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Grpc.Tests.Conformance;

/// <summary>With mutual certificates and a token.</summary>
public sealed class TlsConformanceTests : EdgeAgentConformance
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private readonly string _token = JoinToken.Create();
    private CertificateAuthority _authority = null!;
    private X509Certificate2 _server = null!;
    private X509Certificate2 _client = null!;

    [SetUp]
    public void IssueCertificates()
    {
        _authority = CertificateAuthority.Create("Test authority", Day);
        _server = _authority.Issue("agent", ["127.0.0.1"], Day);
        _client = _authority.Issue("coordinator", [], Day);
    }

    [TearDown]
    public void DisposeCertificates()
    {
        _server.Dispose();
        _client.Dispose();
        _authority.Dispose();
    }

    protected override async ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options) => await ServedAgent.CreateAsync(
        id,
        runtime,
        options,
        new GrpcAgentServerOptions { Token = _token, Certificate = _server, ClientAuthorities = [_authority.Certificate] },
        new GrpcConnectOptions { Token = _token, Authorities = [_authority.Certificate], Certificate = _client });
}

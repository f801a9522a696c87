using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Transport.Tests.Conformance;

/// <summary>With mutual certificates and a join token, whichever side connects.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class TlsConformanceTests(bool agentJoins) : EdgeAgentConformance
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private readonly JoinToken _token = new(JoinToken.Create());
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

    protected override ValueTask<IEdgeAgent> CreateAgentAsync(string id, IPartitionRuntime runtime, EdgeAgentOptions options)
    {
        var listening = new TlsServerOptions { Certificate = _server, ClientAuthorities = [_authority.Certificate] };
        var connecting = new TlsClientOptions { Authorities = [_authority.Certificate], Certificate = _client };
        return agentJoins
            ? ServedAgent.CreateJoinedAsync(
                id,
                runtime,
                options,
                new AgentListenerOptions { JoinToken = _token, Tls = listening },
                new AgentDialerOptions { JoinToken = _token, Tls = connecting })
            : ServedAgent.CreateAsync(
                id,
                runtime,
                options,
                new AgentServerOptions { JoinToken = _token, Tls = listening },
                new RemoteEdgeAgentOptions { JoinToken = _token, Tls = connecting });
    }
}

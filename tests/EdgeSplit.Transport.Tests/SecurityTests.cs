using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Security;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Transport.Tests;

[CancelAfter(30_000)]
public sealed class SecurityTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private CertificateAuthority _authority = null!;
    private CertificateAuthority _stranger = null!;

    [SetUp]
    public void CreateAuthorities()
    {
        _authority = CertificateAuthority.Create("Test authority", Day);
        _stranger = CertificateAuthority.Create("Strange authority", Day);
    }

    [TearDown]
    public void DisposeAuthorities()
    {
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Test]
    public async Task ConnectAsync_with_the_same_token_works(CancellationToken cancellationToken)
    {
        string text = JoinToken.Create();

        Assert.That(
            await TryAsync(new AgentServerOptions { JoinToken = new JoinToken(text) }, new RemoteEdgeAgentOptions { JoinToken = new JoinToken(text) }, cancellationToken),
            Is.Null);
    }

    [Test]
    public async Task ConnectAsync_with_another_token_is_denied_by_the_agent(CancellationToken cancellationToken)
    {
        EdgeSplitException? exception = await TryAsync(
            new AgentServerOptions { JoinToken = new JoinToken(JoinToken.Create()) },
            new RemoteEdgeAgentOptions { JoinToken = new JoinToken(JoinToken.Create()) },
            cancellationToken);

        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
        Assert.That(exception?.Message, Does.Contain("wrong or missing"));
    }

    [Test]
    public async Task ConnectAsync_without_the_token_that_the_agent_asks_for_is_denied(CancellationToken cancellationToken)
    {
        EdgeSplitException? exception = await TryAsync(
            new AgentServerOptions { JoinToken = new JoinToken(JoinToken.Create()) }, new RemoteEdgeAgentOptions(), cancellationToken);

        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
        Assert.That(exception?.Message, Does.Contain("asks for a join token"));
    }

    [Test]
    public async Task ConnectAsync_with_a_token_to_an_agent_that_cannot_prove_it_is_denied_here(CancellationToken cancellationToken)
    {
        EdgeSplitException? exception = await TryAsync(
            new AgentServerOptions(), new RemoteEdgeAgentOptions { JoinToken = new JoinToken(JoinToken.Create()) }, cancellationToken);

        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
        Assert.That(exception?.Message, Does.Contain("did not prove"));
    }

    [Test]
    public async Task ConnectAsync_with_mutual_certificates_and_token_works(CancellationToken cancellationToken)
    {
        string token = JoinToken.Create();
        using X509Certificate2 server = _authority.Issue("agent", ["127.0.0.1", "localhost"], Day);
        using X509Certificate2 client = _authority.Issue("coordinator", [], Day);

        Assert.That(
            await TryAsync(
                new AgentServerOptions
                {
                    JoinToken = new JoinToken(token),
                    Tls = new TlsServerOptions { Certificate = server, ClientAuthorities = [_authority.Certificate] },
                },
                new RemoteEdgeAgentOptions
                {
                    JoinToken = new JoinToken(token),
                    Tls = new TlsClientOptions { Authorities = [_authority.Certificate], Certificate = client },
                },
                cancellationToken),
            Is.Null);
    }

    [Test]
    public async Task ConnectAsync_to_a_certificate_of_a_stranger_is_denied(CancellationToken cancellationToken)
    {
        using X509Certificate2 server = _stranger.Issue("agent", ["127.0.0.1"], Day);

        Assert.That(
            (await TryAsync(Serving(server), Calling(null), cancellationToken))?.Error,
            Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public async Task ConnectAsync_to_a_certificate_for_another_name_is_denied(CancellationToken cancellationToken)
    {
        using X509Certificate2 server = _authority.Issue("agent", ["192.0.2.1", "agent.example"], Day);

        Assert.That(
            (await TryAsync(Serving(server), Calling(null), cancellationToken))?.Error,
            Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task ConnectAsync_without_a_certificate_that_the_agent_trusts_fails(bool hasStrangeCertificate, CancellationToken cancellationToken)
    {
        using X509Certificate2 server = _authority.Issue("agent", ["127.0.0.1"], Day);
        using X509Certificate2 client = _stranger.Issue("coordinator", [], Day);
        AgentServerOptions options = Serving(server) with
        {
            Tls = new TlsServerOptions { Certificate = server, ClientAuthorities = [_authority.Certificate] },
        };

        EdgeSplitException? exception = await TryAsync(options, Calling(hasStrangeCertificate ? client : null), cancellationToken);

        // In TLS 1.3 the client is done before the server has looked at its certificate, so it only sees the connection end.
        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable).Or.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public async Task ConnectAsync_without_tls_to_an_agent_with_tls_fails_clearly(CancellationToken cancellationToken)
    {
        using X509Certificate2 server = _authority.Issue("agent", ["127.0.0.1"], Day);

        EdgeSplitException? exception = await TryAsync(Serving(server), new RemoteEdgeAgentOptions(), cancellationToken);

        Assert.That(exception?.Error, Is.EqualTo(EdgeSplitError.AgentUnavailable).Or.EqualTo(EdgeSplitError.ProtocolViolation));
        Assert.That(exception?.Message, Does.Contain("TLS"));
    }

    [TestCase("0.0.0.0:0")]
    [TestCase("*:0")]
    [TestCase("192.0.2.1:7311")]
    public void Constructor_open_address_without_guard_is_denied(string address)
    {
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(
            () => _ = new AgentServer(new FakeAgent(), new AgentServerOptions { EndPoint = HostAndPort.Parse(address) }));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public async Task Constructor_open_address_with_a_guard_or_the_ugly_option_is_allowed()
    {
        EndPoint any = HostAndPort.Parse("0.0.0.0:0");
        using X509Certificate2 certificate = _authority.Issue("agent", ["127.0.0.1"], Day);

        await new AgentServer(new FakeAgent(), new AgentServerOptions { EndPoint = any, JoinToken = new JoinToken(JoinToken.Create()) }).DisposeAsync();
        await new AgentServer(new FakeAgent(), Serving(certificate) with { EndPoint = any }).DisposeAsync();
        await new AgentServer(new FakeAgent(), new AgentServerOptions { EndPoint = any, DangerouslyAllowUnauthenticatedRemoteConnections = true })
            .DisposeAsync();
    }

    [Test]
    public void JoinToken_too_short_is_refused() =>
        Assert.That(() => new JoinToken("hunter2"), Throws.InstanceOf<EdgeSplitException>().With.Property("Error").EqualTo(EdgeSplitError.InvalidArgument));

    [Test]
    public async Task ConnectAsync_more_connections_than_allowed_is_refused_until_one_ends(CancellationToken cancellationToken)
    {
        await using var server = new AgentServer(new FakeAgent(), new AgentServerOptions { MaxConnectionsPerPeer = 1 });
        await server.StartAsync(cancellationToken);
        RemoteEdgeAgent first = await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken);

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(
            async () => await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.Overloaded));
        await first.DisposeAsync();
        while (server.ConnectionCount > 0)
            await Task.Yield();
        await using RemoteEdgeAgent second = await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken);
    }

    [Test]
    public async Task ConnectAsync_too_often_within_a_minute_is_refused_until_it_is_over(CancellationToken cancellationToken)
    {
        var time = new FakeTimeProvider();
        await using var server = new AgentServer(
            new FakeAgent(), new AgentServerOptions { MaxNewConnectionsPerPeerAndMinute = 2, TimeProvider = time });
        await server.StartAsync(cancellationToken);
        for (int i = 0; i < 2; i++)
            await (await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken)).DisposeAsync();

        Assert.That(
            (await Assert.ThrowsAsync<EdgeSplitException>(async () => await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken)))!.Error,
            Is.EqualTo(EdgeSplitError.Overloaded));

        time.Advance(TimeSpan.FromMinutes(1));
        await (await RemoteEdgeAgent.ConnectAsync(server.EndPoint, null, cancellationToken)).DisposeAsync();
    }

    [Test]
    public void Save_then_Load_gives_an_authority_whose_certificates_the_first_one_trusts()
    {
        string folder = Directory.CreateTempSubdirectory("edgesplit-certs-").FullName;
        try
        {
            CertificateAuthority.Save(_authority.Certificate, folder, "authority");
            using CertificateAuthority loaded = CertificateAuthority.Load(Path.Combine(folder, "authority.crt"), Path.Combine(folder, "authority.key"));
            using X509Certificate2 issued = loaded.Issue("agent", ["agent.example"], TimeSpan.FromDays(400));
            using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
            chain.ChainPolicy.CustomTrustStore.Add(_authority.Certificate);

            Assert.That(chain.Build(issued));
            Assert.That(issued.MatchesHostname("agent.example"));
            Assert.That(issued.NotAfter, Is.EqualTo(_authority.Certificate.NotAfter));
            if (!OperatingSystem.IsWindows())
                Assert.That(File.GetUnixFileMode(Path.Combine(folder, "authority.key")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static AgentServerOptions Serving(X509Certificate2 certificate) => new() { Tls = new TlsServerOptions { Certificate = certificate } };

    private RemoteEdgeAgentOptions Calling(X509Certificate2? certificate) =>
        new() { Tls = new TlsClientOptions { Authorities = [_authority.Certificate], Certificate = certificate } };

    /// <summary>Connects and asks something; the failure, if any.</summary>
    private static async Task<EdgeSplitException?> TryAsync(
        AgentServerOptions serverOptions, RemoteEdgeAgentOptions options, CancellationToken cancellationToken)
    {
        await using var server = new AgentServer(new FakeAgent("guarded"), serverOptions);
        await server.StartAsync(cancellationToken);
        try
        {
            await using RemoteEdgeAgent remote = await RemoteEdgeAgent.ConnectAsync(server.EndPoint, options, cancellationToken);
            Assert.That((await remote.DescribeAsync(cancellationToken)).Runtime, Is.EqualTo("fake 1"));
            return null;
        }
        catch (EdgeSplitException exception)
        {
            return exception;
        }
    }
}

using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Agents;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Grpc.Tests;

/// <summary>Who may connect, and what is told to those who may not.</summary>
internal sealed class SecurityTests
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [TestCase(null)]
    [TestCase("another token of many letters")]
    public async Task Connect_withoutTheToken_isDenied(string? token)
    {
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime());
        await using var server = new GrpcAgentServer(agent, new GrpcAgentServerOptions { Token = JoinToken.Create() });
        await server.StartAsync();
        EdgeSplitException exception = await ErrorAssert.FailsWithAsync(
            EdgeSplitError.AccessDenied, () => GrpcEdgeAgent.ConnectAsync(server.Address, new GrpcConnectOptions { Token = token }).AsTask());
        Assert.That(exception.Message, Does.Contain("token"));
    }

    [Test]
    public async Task Connect_toACertificateOfAnotherAuthority_fails()
    {
        using CertificateAuthority mine = CertificateAuthority.Create("Mine", Day);
        using CertificateAuthority other = CertificateAuthority.Create("Other", Day);
        using X509Certificate2 certificate = other.Issue("agent", ["127.0.0.1"], Day);
        await using var agent = new EdgeAgent("a", new FakePartitionRuntime());
        await using var server = new GrpcAgentServer(agent, new GrpcAgentServerOptions { Certificate = certificate });
        await server.StartAsync();
        await ErrorAssert.FailsWithAsync(
            EdgeSplitError.AgentUnavailable,
            () => GrpcEdgeAgent.ConnectAsync(server.Address, new GrpcConnectOptions { Authorities = [mine.Certificate] }).AsTask());
    }

    [Test]
    public async Task Connect_whereNobodyListens_fails() => await ErrorAssert.FailsWithAsync(
        EdgeSplitError.AgentUnavailable, () => GrpcEdgeAgent.ConnectAsync("http://127.0.0.1:9").AsTask());

    [Test]
    public void Listen_beyondLoopbackWithoutAGuard_isRefused()
    {
        var options = new GrpcAgentServerOptions { EndPoint = new IPEndPoint(IPAddress.Any, 0) };
        var agent = new EdgeAgent("a", new FakePartitionRuntime());
        EdgeSplitException exception = Assert.Throws<EdgeSplitException>(() => _ = new GrpcAgentServer(agent, options))!;
        Assert.That(exception.Error, Is.EqualTo(EdgeSplitError.AccessDenied));
    }

    [Test]
    public async Task Connect_withATokenAndWithoutTls_isRefusedBeyondLoopback() => await ErrorAssert.FailsWithAsync(
        EdgeSplitError.AccessDenied,
        () => GrpcEdgeAgent.ConnectAsync("http://192.0.2.1:7312", new GrpcConnectOptions { Token = JoinToken.Create() }).AsTask());

    [TestCase("agent:7312")]
    [TestCase("ftp://agent")]
    [TestCase("")]
    public async Task Connect_toWhatIsNoAddress_isRefused(string address) => await ErrorAssert.FailsWithAsync(
        EdgeSplitError.InvalidArgument, () => GrpcEdgeAgent.ConnectAsync(address).AsTask());
}

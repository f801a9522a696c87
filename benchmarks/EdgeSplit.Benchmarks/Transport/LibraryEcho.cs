using EdgeSplit.Agents;
using EdgeSplit.Tensors;
using EdgeSplit.Transport;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>The same over the library: an agent behind a server, and a remote agent that calls it.</summary>
internal sealed class LibraryEcho : IEcho
{
    private readonly AgentServer _server;
    private readonly RemoteEdgeAgent _remote;

    private LibraryEcho(AgentServer server, RemoteEdgeAgent remote)
    {
        _server = server;
        _remote = remote;
    }

    /// <param name="answerBytes">The bytes of every answer.</param>
    /// <param name="certificates">Encrypts the connection with certificates of this authority; null for none.</param>
    public static async Task<LibraryEcho> StartAsync(int answerBytes, CertificateAuthority? certificates = null)
    {
        byte[] bytes = new byte[answerBytes];
        new Random(1).NextBytes(bytes);
        Tensor answer = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(answerBytes), bytes);
        var server = new AgentServer(new EchoAgent(answer), new AgentServerOptions
        {
            Tls = certificates is null ? null : new TlsServerOptions { Certificate = certificates.Issue("echo", ["127.0.0.1"], TimeSpan.FromDays(1)) },
        });
        await server.StartAsync();
        return new LibraryEcho(server, await RemoteEdgeAgent.ConnectAsync(server.EndPoint, new RemoteEdgeAgentOptions
        {
            Tls = certificates is null ? null : new TlsClientOptions { Authorities = [certificates.Certificate] },
        }));
    }

    public async Task CallAsync(byte[] body)
    {
        var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(body.Length), body) };
        using PartialResult result = await _remote.ExecuteAsync(new InferenceRequest(Guid.Empty, "0123456789abcdef", inputs), default);
    }

    public async ValueTask DisposeAsync()
    {
        await _remote.DisposeAsync();
        await _server.DisposeAsync();
    }
}

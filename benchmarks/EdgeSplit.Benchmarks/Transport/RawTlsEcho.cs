using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>The yardstick for encrypted connections: <see cref="RawEcho"/> with an <see cref="SslStream"/> over each socket.</summary>
internal sealed class RawTlsEcho : IEcho
{
    private const int LengthBytes = 4;
    private readonly SslStream _client;
    private readonly SslStream _server;
    private readonly Task _serving;
    private readonly byte[] _length = new byte[LengthBytes];
    private readonly byte[] _received;

    private RawTlsEcho(SslStream client, SslStream server, int maxBytes)
    {
        _client = client;
        _server = server;
        _received = GC.AllocateUninitializedArray<byte>(maxBytes);
        _serving = Task.Run(() => ServeAsync(maxBytes));
    }

    public static async Task<RawTlsEcho> StartAsync(int maxBytes, CertificateAuthority certificates)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var clientSocket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await clientSocket.ConnectAsync(listener.LocalEndPoint!);
        Socket serverSocket = await listener.AcceptAsync();
        serverSocket.NoDelay = true;

        var client = new SslStream(new NetworkStream(clientSocket, ownsSocket: true));
        var server = new SslStream(new NetworkStream(serverSocket, ownsSocket: true));
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(certificates.Certificate);
        await Task.WhenAll(
            server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = certificates.Issue("raw", ["127.0.0.1"], TimeSpan.FromDays(1)),
                EnabledSslProtocols = SslProtocols.Tls13,
            }),
            client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                CertificateChainPolicy = policy,
                EnabledSslProtocols = SslProtocols.Tls13,
            }));
        return new RawTlsEcho(client, server, maxBytes);
    }

    public async Task CallAsync(byte[] body)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_length, body.Length);
        await _client.WriteAsync(_length);
        await _client.WriteAsync(body);
        await _client.ReadExactlyAsync(_received.AsMemory(0, body.Length));
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _serving;
        await _server.DisposeAsync();
    }

    private async Task ServeAsync(int maxBytes)
    {
        byte[] length = new byte[LengthBytes];
        byte[] body = GC.AllocateUninitializedArray<byte>(maxBytes);
        try
        {
            while (true)
            {
                await _server.ReadExactlyAsync(length);
                Memory<byte> message = body.AsMemory(0, BinaryPrimitives.ReadInt32LittleEndian(length));
                await _server.ReadExactlyAsync(message);
                await _server.WriteAsync(message);
            }
        }
        catch (IOException)
        {
            // The client has gone; EndOfStreamException is one of these.
        }
    }
}

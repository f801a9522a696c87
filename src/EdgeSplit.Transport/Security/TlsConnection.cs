using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Duplex.Internal;

namespace EdgeSplit.Transport.Security;

/// <summary>A connection with TLS 1.3 around it.</summary>
internal sealed class TlsConnection : ISecuredConnection, IPacedConnection
{
    // The rest is room for what encryption adds, a few bytes for each record of 16 KiB.
    private const int MaxHeldPlainBytes = 240 * 1024;
    private const int HeldBytes = 256 * 1024;

    private readonly IDuplexConnection _inner;
    private readonly DuplexStream _encrypted;
    private readonly SslStream _tls;
    private readonly JoinedSend _joined;
    private int _heldPlainBytes;

    private TlsConnection(IDuplexConnection inner)
    {
        _inner = inner;
        _encrypted = new DuplexStream(inner);
        _tls = new SslStream(_encrypted, leaveInnerStreamOpen: true);
        _joined = new JoinedSend(EncryptAsync, SendHeldAsync);
    }

    public EndPoint? RemoteEndPoint => _inner.RemoteEndPoint;

    public ReadOnlyMemory<byte> ServerCertificateHash { get; private set; }

    /// <summary>Runs the accepting side's handshake over a connection, which the result owns.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the peer has no certificate that is trusted.</exception>
    public static async ValueTask<TlsConnection> AcceptAsync(
        IDuplexConnection inner, TlsServerOptions options, CancellationToken cancellationToken)
    {
        var connection = new TlsConnection(inner);
        var authentication = new SslServerAuthenticationOptions
        {
            ServerCertificate = options.Certificate,
            ClientCertificateRequired = options.ClientAuthorities is not null,
            CertificateChainPolicy = options.ClientAuthorities is null ? null : Trusting(options.ClientAuthorities),
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowRenegotiation = false,
        };
        if (options.ClientAuthorities is null)
            authentication.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
        await AuthenticateAsync(() => connection._tls.AuthenticateAsServerAsync(authentication, cancellationToken)).ConfigureAwait(false);
        connection.ServerCertificateHash = SHA256.HashData(options.Certificate.RawDataMemory.Span);
        return connection;
    }

    /// <summary>Runs the connecting side's handshake over a connection, which the result owns.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AccessDenied"/>: the agent's certificate is not trusted or not for the name.</exception>
    public static async ValueTask<TlsConnection> ConnectAsync(
        IDuplexConnection inner, TlsClientOptions options, string host, CancellationToken cancellationToken)
    {
        var connection = new TlsConnection(inner);
        var authentication = new SslClientAuthenticationOptions
        {
            TargetHost = options.ServerName ?? host,
            ClientCertificates = options.Certificate is null ? null : [options.Certificate],
            CertificateChainPolicy = options.Authorities is null ? null : Trusting(options.Authorities),
            EnabledSslProtocols = SslProtocols.Tls13,
            AllowRenegotiation = false,
        };
        await AuthenticateAsync(() => connection._tls.AuthenticateAsClientAsync(authentication, cancellationToken)).ConfigureAwait(false);
        connection.ServerCertificateHash = SHA256.HashData(connection._tls.RemoteCertificate!.GetRawCertData());
        return connection;
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancellationToken) =>
        _tls.ReadAsync(destination, cancellationToken);

    public ValueTask SendAsync(IReadOnlyList<ReadOnlyMemory<byte>> buffers, CancellationToken cancellationToken) =>
        _joined.SendAsync(buffers, cancellationToken);

    public bool StaysInMachine => _inner is IPacedConnection { StaysInMachine: true };

    public void LimitUnsent(int byteCount) => (_inner as IPacedConnection)?.LimitUnsent(byteCount);

    public async ValueTask CompleteSendAsync(CancellationToken cancellationToken)
    {
        await _tls.ShutdownAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        await _inner.CompleteSendAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync().ConfigureAwait(false);
        await _tls.DisposeAsync().ConfigureAwait(false);
    }

    // SslStream writes record by record and allocates whenever it has to wait for one, so what it writes is held and sent at a time.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask EncryptAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            if (_heldPlainBytes == MaxHeldPlainBytes)
                await SendHeldAsync(cancellationToken).ConfigureAwait(false);
            if (_heldPlainBytes == 0)
                _encrypted.Hold(HeldBytes);
            int taken = Math.Min(buffer.Length, MaxHeldPlainBytes - _heldPlainBytes);
            await _tls.WriteAsync(buffer[..taken], cancellationToken).ConfigureAwait(false);
            _heldPlainBytes += taken;
            buffer = buffer[taken..];
        }
    }

    private ValueTask SendHeldAsync(CancellationToken cancellationToken)
    {
        if (_heldPlainBytes == 0)
            return ValueTask.CompletedTask;
        _heldPlainBytes = 0;
        return _encrypted.SendHeldAsync(cancellationToken);
    }

    private static async ValueTask AuthenticateAsync(Func<Task> authenticate)
    {
        try
        {
            await authenticate().ConfigureAwait(false);
        }
        catch (AuthenticationException exception)
        {
            throw new EdgeSplitException(
                EdgeSplitError.AccessDenied,
                $"The TLS handshake failed: {exception.Message} Check that the certificate is for this name, not expired, and issued "
                    + "by an authority that the other side trusts.",
                exception);
        }
    }

    private static X509ChainPolicy Trusting(X509Certificate2Collection authorities)
    {
        // Test authorities and those of a closed site publish no revocation lists.
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }
}

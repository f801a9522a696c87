using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;

namespace EdgeSplit.Grpc.Messages;

/// <summary>Makes connections to gRPC servers.</summary>
internal static class Channels
{
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Makes a channel, which connects when it is first used.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: not an address; <see cref="EdgeSplitError.AccessDenied"/>:
    /// the token would be sent in the clear.</exception>
    public static GrpcChannel Create(string address, GrpcConnectOptions options)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.AbsolutePath != "/")
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{address}' is not an address; write http://HOST:PORT or https://HOST:PORT.");
        if (options.Token is not null && uri.Scheme == "http" && !IsLoopback(uri) && !options.DangerouslyAllowTokenWithoutTls)
        {
            throw new EdgeSplitException(
                EdgeSplitError.AccessDenied,
                $"The token would be sent to {address} in the clear. Use https, or set {nameof(GrpcConnectOptions.DangerouslyAllowTokenWithoutTls)} if nobody watches that network.");
        }
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = options.HeartbeatInterval > TimeSpan.FromSeconds(1) ? options.HeartbeatInterval : TimeSpan.FromSeconds(1),
            KeepAlivePingTimeout = PingTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        };
        if (uri.Scheme == "https")
            handler.SslOptions = TlsOf(options);
        return GrpcChannel.ForAddress(uri, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            LoggerFactory = options.LoggerFactory,
        });
    }

    /// <summary>Makes a channel over one connection that is there already; it makes no other.</summary>
    public static GrpcChannel Over(Stream connection, GrpcConnectOptions options)
    {
        Stream? left = connection;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = (_, _) => Interlocked.Exchange(ref left, null) is { } stream
                ? ValueTask.FromResult(stream)
                : ValueTask.FromException<Stream>(new IOException("The connection has ended.")),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        };
        return GrpcChannel.ForAddress("http://tunnel", new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, LoggerFactory = options.LoggerFactory });
    }

    public static Metadata HeadersOf(GrpcOptions options) =>
        options.Token is { } token ? new Metadata { { "authorization", $"Bearer {token}" } } : [];

    private static bool IsLoopback(Uri uri) =>
        uri.IsLoopback || (IPAddress.TryParse(uri.DnsSafeHost, out IPAddress? address) && IPAddress.IsLoopback(address));

    private static SslClientAuthenticationOptions TlsOf(GrpcConnectOptions options)
    {
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls13, TargetHost = options.ServerName };
        if (options.Certificate is { } certificate)
            tls.ClientCertificates = [certificate];
        if (options.Authorities is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return tls;
    }
}

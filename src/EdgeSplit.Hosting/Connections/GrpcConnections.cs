using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Grpc;
using EdgeSplit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Connections;

/// <summary>Makes gRPC's options from those of the application.</summary>
internal static class GrpcConnections
{
    public static GrpcServiceOptions ForClients(IServiceProvider provider)
    {
        GrpcHostOptions options = Options(provider);
        return ForServing(provider, options, new ConnectionSecurity { TokenFile = options.ClientTokenFile }.ReadToken());
    }

    public static GrpcServiceOptions ForCoordinators(IServiceProvider provider)
    {
        GrpcHostOptions options = Options(provider);
        return ForServing(provider, options, options.ReadToken());
    }

    public static GrpcAgentServerOptions ForListening(IServiceProvider provider)
    {
        GrpcHostOptions options = Options(provider);
        return new GrpcAgentServerOptions
        {
            EndPoint = ParseListen(options.Listen!),
            Certificate = options.CreateServerTls()?.Certificate,
            ClientAuthorities = options.ReadAuthorities(),
            Token = options.ReadToken(),
            MaxTensorBytes = options.MaxTensorBytes,
            DangerouslyAllowUnauthenticatedRemoteCalls = options.DangerouslyAllowUnauthenticatedRemoteConnections,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    /// <summary>Who may join: whoever has the token of the agents, which is not that of clients.</summary>
    public static GrpcServiceOptions ForJoining(IServiceProvider provider) => ForCoordinators(provider);

    /// <summary>Takes agents that join; null where none may.</summary>
    public static GrpcAgentListener? ListenerOf(IServiceProvider provider) =>
        Options(provider).TakesAgents ? provider.GetRequiredService<GrpcAgentListener>() : null;

    public static GrpcConnectOptions ForConnecting(IServiceProvider provider) => Connecting<GrpcConnectOptions>(provider);

    public static GrpcAgentDialerOptions ForDialling(IServiceProvider provider, IProgress<DialProgress> progress) =>
        Connecting<GrpcAgentDialerOptions>(provider) with { Progress = progress };

    private static T Connecting<T>(IServiceProvider provider)
        where T : GrpcConnectOptions, new()
    {
        GrpcHostOptions options = Options(provider);
        return new T() with
        {
            Authorities = options.ReadAuthorities(),
            Certificate = options.ReadCertificate(),
            ServerName = options.ServerName,
            Token = options.ReadToken(),
            MaxTensorBytes = options.MaxTensorBytes,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    /// <summary>Reads an address to listen on; gRPC takes no names.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>.</exception>
    public static IPEndPoint ParseListen(string text) => HostAndPort.Parse(text) switch
    {
        IPEndPoint address => address,
        DnsEndPoint { Host: "localhost" } name => new IPEndPoint(IPAddress.Loopback, name.Port),
        _ => throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"'{text}' names a host; to listen for gRPC write an address of this machine, such as 127.0.0.1:7312 or *:7312."),
    };

    private static GrpcServiceOptions ForServing(IServiceProvider provider, GrpcHostOptions options, string? token) => new()
    {
        Token = token,
        MaxTensorBytes = options.MaxTensorBytes,
        DangerouslyAllowUnauthenticatedRemoteCalls = options.DangerouslyAllowUnauthenticatedRemoteConnections,
        TimeProvider = provider.GetRequiredService<TimeProvider>(),
        LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
    };

    private static GrpcHostOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<GrpcHostOptions>>().Value;
}

using EdgeSplit.Agents;
using EdgeSplit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Connections;

/// <summary>Makes the TCP transport's options from those of the application.</summary>
internal static class TcpConnections
{
    public static AgentListenerOptions ForJoining(IServiceProvider provider) => Listening<AgentListenerOptions>(provider);

    public static AgentServerOptions ForCoordinators(IServiceProvider provider) => Listening<AgentServerOptions>(provider) with { PeerAddress = Options(provider).Advertise };

    public static RemoteEdgeAgentOptions ForConnecting(IServiceProvider provider) => Connecting<RemoteEdgeAgentOptions>(provider);

    /// <summary>Other agents are reached as a coordinator reaches them, each by the name of its own.</summary>
    public static TcpAgentPeers CreatePeers(IServiceProvider provider)
    {
        RemoteEdgeAgentOptions options = ForConnecting(provider);
        return new TcpAgentPeers(options with { Tls = options.Tls is { } tls ? tls with { ServerName = null } : null, ConnectTimeout = TcpAgentPeers.DefaultConnectTimeout });
    }

    public static AgentDialerOptions ForDialling(IServiceProvider provider, string? peerAddress, IProgress<DialProgress> progress) =>
        Connecting<AgentDialerOptions>(provider) with { PeerAddress = peerAddress, Progress = progress };

    private static T Listening<T>(IServiceProvider provider)
        where T : ListenOptions, new()
    {
        TcpHostOptions options = Options(provider);
        return new T() with
        {
            EndPoint = HostAndPort.Parse(options.Listen!),
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateServerTls(),
            DangerouslyAllowUnauthenticatedRemoteConnections = options.DangerouslyAllowUnauthenticatedRemoteConnections,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    private static T Connecting<T>(IServiceProvider provider)
        where T : ConnectOptions, new()
    {
        TcpHostOptions options = Options(provider);
        return new T() with
        {
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateClientTls(),
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    private static TcpHostOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<TcpHostOptions>>().Value;
}

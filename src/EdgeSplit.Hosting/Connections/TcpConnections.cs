using EdgeSplit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Connections;

/// <summary>Makes the TCP transport's options from those of the application.</summary>
internal static class TcpConnections
{
    private static readonly TimeSpan PeerConnectTimeout = TimeSpan.FromSeconds(2);

    public static AgentListenerOptions ForJoining(IServiceProvider provider)
    {
        TcpHostOptions options = Options(provider);
        return new AgentListenerOptions
        {
            EndPoint = HostAndPort.Parse(options.Listen!),
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateServerTls(),
            DangerouslyAllowUnauthenticatedRemoteConnections = options.DangerouslyAllowUnauthenticatedRemoteConnections,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    public static AgentServerOptions ForCoordinators(IServiceProvider provider)
    {
        TcpHostOptions options = Options(provider);
        return new AgentServerOptions
        {
            EndPoint = HostAndPort.Parse(options.Listen!),
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateServerTls(),
            DangerouslyAllowUnauthenticatedRemoteConnections = options.DangerouslyAllowUnauthenticatedRemoteConnections,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    public static RemoteEdgeAgentOptions ForConnecting(IServiceProvider provider)
    {
        TcpHostOptions options = Options(provider);
        return new RemoteEdgeAgentOptions
        {
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateClientTls(),
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    /// <summary>Other agents are reached as a coordinator reaches them.</summary>
    public static TcpAgentPeers CreatePeers(IServiceProvider provider) => new(ForConnecting(provider) with { ConnectTimeout = PeerConnectTimeout });

    public static AgentDialerOptions ForDialling(IServiceProvider provider, IProgress<DialProgress> progress)
    {
        TcpHostOptions options = Options(provider);
        return new AgentDialerOptions
        {
            JoinToken = options.CreateJoinToken(),
            Tls = options.CreateClientTls(),
            Progress = progress,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
    }

    private static TcpHostOptions Options(IServiceProvider provider) => provider.GetRequiredService<IOptions<TcpHostOptions>>().Value;
}

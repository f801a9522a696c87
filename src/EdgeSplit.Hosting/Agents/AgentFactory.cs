using EdgeSplit.Agents;
using EdgeSplit.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Agents;

/// <summary>Makes an application's agent.</summary>
internal static class AgentFactory
{
    public static EdgeAgent Create(IServiceProvider provider)
    {
        AgentHostOptions host = provider.GetRequiredService<IOptions<AgentHostOptions>>().Value;
        var options = new EdgeAgentOptions
        {
            BlobStore = host.Blobs is { } folder ? new FolderBlobStore(folder) : null,
            MaxConcurrentExecutions = host.ConcurrentStages,
            Peers = provider.GetService<IAgentPeers>(),
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            Logger = provider.GetRequiredService<ILogger<EdgeAgent>>(),
        };
        return new EdgeAgent(host.Id, provider.GetRequiredService<IPartitionRuntime>(), host.Customize?.Invoke(options) ?? options);
    }
}

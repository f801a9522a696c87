using EdgeSplit.Grpc.Messages;
using Grpc.Core;
using Grpc.Net.Client;

namespace EdgeSplit.Grpc.Tunnels;

/// <summary>Lets agents join a listener.</summary>
/// <remarks>One object serves all calls.</remarks>
internal sealed class TunnelService(GrpcAgentListener listener, CancellationToken stopping) : V1.Tunnel.TunnelBase
{
    /// <summary>The header that names the agent.</summary>
    public const string AgentIdHeader = "edgesplit-agent-id";

    public override async Task Join(IAsyncStreamReader<V1.TunnelBytes> requestStream, IServerStreamWriter<V1.TunnelBytes> responseStream, ServerCallContext context)
    {
        string id = context.RequestHeaders.GetValue(AgentIdHeader)
            ?? throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"An agent that joins sends its id in the header '{AgentIdHeader}'.");
        await listener.AdmitAsync(id, context.CancellationToken).ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        await using var stream = new TunnelStream(requestStream, message => responseStream.WriteAsync(message, ending.Token));
        using GrpcChannel channel = Channels.Over(stream, listener.Options);
        GrpcEdgeAgent agent = await GrpcEdgeAgent.OpenAsync($"tunnel from {context.Peer}", channel.CreateCallInvoker(), null, listener.Options, ending.Token).ConfigureAwait(false);
        if (agent.Id != id)
        {
            await agent.DisposeAsync().ConfigureAwait(false);
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"The agent that joined as '{id}' calls itself '{agent.Id}'.");
        }
        await listener.GiveAsync(agent).ConfigureAwait(false);
        await Task.WhenAny(agent.Disconnected, stream.Ended, Task.Delay(Timeout.Infinite, ending.Token)).ConfigureAwait(false);
        if (!agent.Disconnected.IsCompleted)
            agent.Abandon("The tunnel has ended.");
    }
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using EdgeSplit.Agents;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Tensors;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Agents;

/// <summary>Serves one agent to the coordinators that call.</summary>
/// <param name="agent">The agent; borrowed.</param>
/// <param name="options">What to take and how.</param>
/// <param name="stopping">Ends all sessions.</param>
/// <remarks>One object serves all calls.</remarks>
internal sealed class AgentService(IEdgeAgent agent, GrpcServiceOptions options, CancellationToken stopping) : V1.Agent.AgentBase
{
    private const int SessionIdBytes = 16;

    private readonly ConcurrentDictionary<string, AgentSession> _sessions = new();
    private readonly BufferBudget _budget = BufferBudget.Of(options);
    private readonly ILogger _logger = options.CreateLogger<AgentService>();

    public override async Task OpenSession(
        IAsyncStreamReader<V1.Heartbeat> requestStream, IServerStreamWriter<V1.SessionMessage> responseStream, ServerCallContext context)
    {
        string id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SessionIdBytes));
        var session = new AgentSession(agent, _logger);
        _sessions[id] = session;
        GrpcLog.SessionOpened(_logger, agent.Id, context.Peer);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, stopping);
        try
        {
            var opened = new V1.SessionOpened { SessionId = id, AgentId = agent.Id };
            await responseStream.WriteAsync(new V1.SessionMessage { Opened = opened }, context.CancellationToken).ConfigureAwait(false);
            Task reporting = ReportRegularlyAsync(responseStream, ending.Token);
            await Sessions.ListenAsync(requestStream, options, static _ => { }, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await ending.CancelAsync().ConfigureAwait(false);
            await reporting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            _sessions.TryRemove(id, out _);
            await session.CloseAsync().ConfigureAwait(false);
            GrpcLog.SessionEnded(_logger, agent.Id, context.Peer);
        }
    }

    public override async Task<V1.AgentDescription> Describe(V1.DescribeRequest request, ServerCallContext context) =>
        (await agent.DescribeAsync(context.CancellationToken).ConfigureAwait(false)).ToMessage();

    public override async Task<V1.ResourceReport> Report(V1.ReportRequest request, ServerCallContext context) =>
        (await agent.ReportAsync(context.CancellationToken).ConfigureAwait(false)).ToMessage();

    public override async Task LoadPartition(
        IAsyncStreamReader<V1.LoadRequest> requestStream, IServerStreamWriter<V1.LoadResponse> responseStream, ServerCallContext context)
    {
        (string sessionId, ModelPartitionRequest request) = await PartitionParts.JoinAsync(
            requestStream, options.MaxPartitionBytes, context.CancellationToken).ConfigureAwait(false);
        AgentSession session = Find(sessionId);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var blobs = new RequestedBlobs(request.Partition.Blobs, responseStream);
        Task pumping = blobs.PumpAsync(requestStream, ending.Token);
        try
        {
            PartitionLoaded loaded = await agent.LoadAsync(request, blobs, ending.Token).ConfigureAwait(false);
            bool isCounted = false;
            try
            {
                session.Add(loaded.PartitionId);
                isCounted = true;
                await blobs.SendAsync(new V1.LoadResponse { Loaded = loaded.ToMessage() }, ending.Token).ConfigureAwait(false);
                // The coordinator ends its stream when it has the answer. Without that it does not know, and will not unload.
                await pumping.ConfigureAwait(false);
            }
            catch
            {
                if (isCounted)
                    await session.UnloadAsync(loaded.PartitionId).ConfigureAwait(false);
                else
                    await agent.UnloadAsync(loaded.PartitionId, CancellationToken.None).ConfigureAwait(false);
                throw;
            }
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await pumping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task Execute(
        IAsyncStreamReader<V1.InferenceRequest> requestStream, IServerStreamWriter<V1.PartialResult> responseStream, ServerCallContext context)
    {
        using var receiver = new TensorReceiver(options.Pool, options.MaxTensorBytes, _budget.For(context.GetHttpContext().Connection.RemoteIpAddress));
        V1.InferenceRequest request = await receiver.ReceiveAsync(requestStream, context.CancellationToken).ConfigureAwait(false);
        Dictionary<string, Tensor> inputs = receiver.Take();
        try
        {
            using PartialResult result = await agent.ExecuteAsync(
                new InferenceRequest(request.RequestId.ToGuid(), request.PartitionId, inputs), context.CancellationToken).ConfigureAwait(false);
            var first = new V1.PartialResult
            {
                RequestId = request.RequestId,
                PartitionId = request.PartitionId,
                ComputeTime = result.ComputeTime.ToDuration(),
                QueueTime = result.QueueTime.ToDuration(),
            };
            await TensorSender.SendAsync(responseStream, first, result.Outputs, options.Pool, context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    public override async Task<V1.UnloadResponse> UnloadPartition(V1.UnloadRequest request, ServerCallContext context)
    {
        await Find(request.SessionId).UnloadAsync(request.PartitionId).ConfigureAwait(false);
        return new V1.UnloadResponse();
    }

    public override async Task<V1.ProbeResponse> Probe(IAsyncStreamReader<V1.ProbeRequest> requestStream, ServerCallContext context)
    {
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            // Only its arrival counts.
        }
        return new V1.ProbeResponse();
    }

    private AgentSession Find(string sessionId) => _sessions.TryGetValue(sessionId, out AgentSession? session)
        ? session
        : throw new EdgeSplitException(EdgeSplitError.NotFound, $"Agent '{agent.Id}' has no such session. Open one with OpenSession and keep that call open.");

    private async Task ReportRegularlyAsync(IServerStreamWriter<V1.SessionMessage> writer, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.HeartbeatInterval, options.TimeProvider);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            ResourceReport report = await agent.ReportAsync(cancellationToken).ConfigureAwait(false);
            await writer.WriteAsync(new V1.SessionMessage { Report = report.ToMessage() }, CancellationToken.None).ConfigureAwait(false);
        }
    }
}

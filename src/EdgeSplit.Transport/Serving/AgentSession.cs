using System.Runtime.CompilerServices;
using EdgeSplit.Agents;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Blobs;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Messages;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport.Serving;

/// <summary>One connection to an agent: answers its requests and, when it ends, unloads what was loaded through it.</summary>
internal sealed class AgentSession : IRequestHandler
{
    private readonly IEdgeAgent _agent;
    private readonly TransportOptions _options;
    private readonly string? _address;
    private readonly ILogger _logger;
    private readonly LoadCounts _loads = new();
    private PeerConnection? _connection;

    private AgentSession(IEdgeAgent agent, TransportOptions options, string? address, ILogger logger)
    {
        _agent = agent;
        _options = options;
        _address = address;
        _logger = logger;
    }

    /// <summary>Serves a connection to its end.</summary>
    /// <param name="agent">The agent to serve.</param>
    /// <param name="connection">The connection, whichever side made it; closed when this returns.</param>
    /// <param name="options">Limits and times.</param>
    /// <param name="address">Where other agents can connect to this one; null for what the agent itself says.</param>
    /// <param name="logger">The logger.</param>
    /// <param name="stopping">Ends the connection.</param>
    /// <returns>Why it ended.</returns>
    public static async Task<string> RunAsync(
        IEdgeAgent agent, OpenConnection connection, TransportOptions options, string? address, ILogger logger, CancellationToken stopping)
    {
        var session = new AgentSession(agent, options, address, logger);
        var open = new PeerConnection(connection, PeerSettings.From(options, logger), session, session.UnloadAllAsync);
        session._connection = open;
        open.Start();
        using (stopping.UnsafeRegister(static state => ((PeerConnection)state!).BeginClose("The agent is shutting down."), open))
            await open.Closed.ConfigureAwait(false);
        string reason = open.CloseReason?.Message ?? "";
        TransportLog.Ended(logger, open.PeerName, reason);
        return reason;
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Reply> AnswerAsync(IncomingMessage request, CancellationToken cancellationToken)
    {
        switch (request.Head.Payload)
        {
            case ExecuteCall call:
                return await ExecuteAsync(call, request, cancellationToken).ConfigureAwait(false);
            case LoadCall call:
                return await LoadAsync(call, request, cancellationToken).ConfigureAwait(false);
            case UnloadCall call:
                // Not to be cancelled: it no longer counts as loaded, so nobody would unload it later.
                if (_loads.TryRemove(call.PartitionId))
                    await _agent.UnloadAsync(call.PartitionId, CancellationToken.None).ConfigureAwait(false);
                return new Reply(new EmptyPayload(Operation.Unload));
            case EmptyPayload { Operation: Operation.Describe }:
                return new Reply(new DescribeReply(await DescribeAsync(cancellationToken).ConfigureAwait(false)));
            case EmptyPayload { Operation: Operation.Report }:
                return new Reply(new ReportReply(await _agent.ReportAsync(cancellationToken).ConfigureAwait(false)));
            case DeliverCall call:
                return await DeliverAsync(call, request, cancellationToken).ConfigureAwait(false);
            case ProbePeerCall call:
                return new Reply(new ProbePeerReply(await _agent.ProbePeerAsync(call.Peer, call.PayloadByteCount, cancellationToken).ConfigureAwait(false)));
            case EmptyPayload { Operation: Operation.Probe }:
                return new Reply(new EmptyPayload(Operation.Probe));
            default:
                throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"An agent does not answer {request.Head.Payload.Operation}.");
        }
    }

    private async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        AgentDescription description = await _agent.DescribeAsync(cancellationToken).ConfigureAwait(false);
        return _address is null ? description : description with { Address = _address };
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Reply> ExecuteAsync(ExecuteCall call, IncomingMessage request, CancellationToken cancellationToken)
    {
        Dictionary<string, Tensor> inputs = request.TakeTensors();
        try
        {
            PartialResult result = await _agent.ExecuteAsync(new InferenceRequest(call.RequestId, call.PartitionId, inputs) { Encoding = call.Encoding, Exchange = call.Exchange }, cancellationToken)
                .ConfigureAwait(false);
            return new Reply(new ExecuteReply(result.ComputeTime, result.QueueTime, call.Encoding) { WaitTime = result.WaitTime, DeliveryTimes = result.DeliveryTimes }, result.Outputs, result);
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    private async ValueTask<Reply> DeliverAsync(DeliverCall call, IncomingMessage request, CancellationToken cancellationToken)
    {
        Dictionary<string, Tensor> tensors = request.TakeTensors();
        try
        {
            await _agent.DeliverAsync(new ActivationDelivery(call.RequestId, call.PartitionId, tensors), cancellationToken).ConfigureAwait(false);
            return new Reply(new EmptyPayload(Operation.Deliver));
        }
        catch
        {
            tensors.DisposeTensors();
            throw;
        }
    }

    private async ValueTask<Reply> LoadAsync(LoadCall call, IncomingMessage request, CancellationToken cancellationToken)
    {
        ModelPartitionRequest load = DecodeLoad(request);
        var blobs = new PeerBlobSource(_connection!, call.LoadId, load.Partition.Blobs, _options.Limits.MaxTensorBytes);
        PartitionLoaded loaded = await _agent.LoadAsync(load, blobs, cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            // The peer no longer waits and will not unload what it does not know to be loaded.
            await _agent.UnloadAsync(loaded.PartitionId, CancellationToken.None).ConfigureAwait(false);
            throw new OperationCanceledException(cancellationToken);
        }
        _loads.Add(loaded.PartitionId);
        return new Reply(new LoadReply(loaded.LoadTime, loaded.ReceivedBytes));
    }

    private ModelPartitionRequest DecodeLoad(IncomingMessage request)
    {
        Dictionary<string, Tensor> tensors = request.TakeTensors();
        try
        {
            ModelPartitionRequest load = PartitionCodec.Decode(tensors);
            UInt128 byteCount = (UInt128)load.Partition.Skeleton.Length;
            foreach (Storage.BlobReference blob in load.Partition.Blobs)
                byteCount += (UInt128)blob.ByteCount;
            return byteCount <= (UInt128)_options.Limits.MaxPartitionBytes
                ? load
                : throw new EdgeSplitException(
                    EdgeSplitError.InvalidInput,
                    $"Partition '{load.Partition.Id}' of '{load.ModelName}' has {byteCount} bytes; agent '{_agent.Id}' takes at most "
                        + $"{_options.Limits.MaxPartitionBytes}. Split the model into smaller parts or raise the agent's limit.");
        }
        finally
        {
            tensors.DisposeTensors();
        }
    }

    private async ValueTask UnloadAllAsync()
    {
        foreach (string partitionId in _loads.TakeAll())
        {
            try
            {
                await _agent.UnloadAsync(partitionId, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                TransportLog.UnloadFailed(_logger, partitionId, exception);
            }
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Compression;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Blobs;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Messages;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Transport;

/// <summary>An agent in another process: behind an <see cref="AgentServer"/>, or one that has joined an <see cref="AgentListener"/>.</summary>
/// <remarks>
/// Thread-safe; many calls share the one connection. Cancelling a call takes it back on the agent too and leaves the
/// connection usable. Once the connection is lost every call, waiting or new, fails with
/// <see cref="EdgeSplitError.AgentUnavailable"/>. An agent that comes back is another object with the same id.
/// </remarks>
public sealed class RemoteEdgeAgent : IEdgeAgent
{
    private readonly TransportOptions _options;
    private readonly TimeSpan _requestTimeout;
    private readonly PeerConnection _connection;
    private readonly ConcurrentDictionary<int, BlobLoan> _loans = [];
    private int _lastLoadId;
    private readonly bool _wasDialled;
    private bool _isDisposed;

    internal RemoteEdgeAgent(OpenConnection connection, TransportOptions options, TimeSpan requestTimeout, ILogger logger, bool wasDialled = false)
    {
        _wasDialled = wasDialled;
        Id = connection.Handshake.PeerId;
        _options = options;
        _requestTimeout = requestTimeout;
        _connection = new PeerConnection(
            connection, PeerSettings.From(options, logger), new BlobAnswers(_loans), static () => ValueTask.CompletedTask);
        _connection.Start();
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>The agent's address.</summary>
    public string Address => _connection.PeerName;

    /// <summary>Completes when the connection has ended, for whatever reason.</summary>
    public Task Disconnected => _connection.Closed;

    /// <summary>Connects to an agent at <c>HOST:PORT</c>.</summary>
    /// <inheritdoc cref="ConnectAsync(EndPoint, RemoteEdgeAgentOptions?, CancellationToken)"/>
    public static ValueTask<RemoteEdgeAgent> ConnectAsync(
        string hostAndPort, RemoteEdgeAgentOptions? options = null, CancellationToken cancellationToken = default) =>
        ConnectAsync(HostAndPort.Parse(hostAndPort), options, cancellationToken);

    /// <summary>Connects to an agent.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: nobody answers there in time;
    /// <see cref="EdgeSplitError.AccessDenied"/>: wrong join token or certificate; <see cref="EdgeSplitError.Overloaded"/>: the agent
    /// takes no more connections; <see cref="EdgeSplitError.ProtocolViolation"/>: something else answers there.</exception>
    public static async ValueTask<RemoteEdgeAgent> ConnectAsync(
        EndPoint endPoint, RemoteEdgeAgentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        options ??= new RemoteEdgeAgentOptions();
        options.Validate();
        OpenConnection open = await OpenConnection.ConnectAsync(endPoint, PeerRole.Coordinator, "", options, cancellationToken).ConfigureAwait(false);
        return new RemoteEdgeAgent(open, options, options.RequestTimeout, options.CreateLogger<RemoteEdgeAgent>(), wasDialled: true);
    }

    /// <summary>
    /// Connects to an agent, and again whenever the connection was lost, with waits that grow while that fails. Each object given
    /// is the caller's; the next follows when that one is disconnected.
    /// </summary>
    /// <exception cref="EdgeSplitException">The first connection fails in a way that waiting does not mend.</exception>
    public static IAsyncEnumerable<RemoteEdgeAgent> KeepConnectedAsync(
        EndPoint endPoint, RemoteEdgeAgentOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        RemoteEdgeAgentOptions used = options ?? new RemoteEdgeAgentOptions();
        ILogger logger = used.CreateLogger<RemoteEdgeAgent>();
        return new Reconnection(used.CreateBackoff(), used.TimeProvider, (reason, delay) => TransportLog.Retrying(logger, HostAndPort.Format(endPoint), reason, delay))
            .KeepAsync(token => ConnectAsync(endPoint, used, token), UntilLostAsync, cancellationToken);

        static async Task<string> UntilLostAsync(RemoteEdgeAgent agent)
        {
            await agent.Disconnected.ConfigureAwait(false);
            return agent._connection.CloseReason?.Message ?? "";
        }
    }

    /// <inheritdoc/>
    public async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        using IncomingMessage answer = await CallAsync(new EmptyPayload(Operation.Describe), null, cancellationToken).ConfigureAwait(false);
        AgentDescription description = ((DescribeReply)answer.Head.Payload).Description;
        return description with { Address = description.Address is { } named ? HostAndPort.Complete(named, Address) : _wasDialled ? Address : null };
    }

    /// <inheritdoc/>
    public async ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken)
    {
        using IncomingMessage answer = await CallAsync(new EmptyPayload(Operation.Report), null, cancellationToken).ConfigureAwait(false);
        return ((ReportReply)answer.Head.Payload).Report;
    }

    /// <inheritdoc/>
    public async ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(blobs);
        ThrowIfDisposed();
        int loadId = Interlocked.Increment(ref _lastLoadId);
        await using var loan = new BlobLoan(blobs, request.Partition.Blobs, _options.Pool);
        _loans[loadId] = loan;
        try
        {
            using IncomingMessage answer = await _connection.CallAsync(
                new LoadCall(loadId), PartitionCodec.Encode(request), Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
            var reply = (LoadReply)answer.Head.Payload;
            return new PartitionLoaded(request.Partition.Id, reply.LoadTime, reply.ReceivedBytes);
        }
        finally
        {
            _loans.TryRemove(loadId, out _);
        }
    }

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using IncomingMessage answer = await CallAsync(
            new ExecuteCall(request.RequestId, request.PartitionId, _connection.TakesEncodedTensors ? request.Encoding : ActivationEncoding.None, request.Exchange), request.Inputs, cancellationToken).ConfigureAwait(false);
        var reply = (ExecuteReply)answer.Head.Payload;
        return new PartialResult(request.RequestId, request.PartitionId, answer.TakeTensors(), reply.ComputeTime, reply.QueueTime) { WaitTime = reply.WaitTime, DeliveryTimes = reply.DeliveryTimes };
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitionId);
        using IncomingMessage _ = await CallAsync(new UnloadCall(partitionId), null, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken)
    {
        using Tensor payload = Tensor.Allocate(
            TensorElementType.UInt8, new TensorShape(payloadByteCount), out Memory<byte> bytes, _options.Pool);
        // What the pool's last user left in it is none of the agent's business.
        bytes.Span.Clear();
        long started = _options.TimeProvider.GetTimestamp();
        using IncomingMessage _ = await CallAsync(
            new EmptyPayload(Operation.Probe), new Dictionary<string, Tensor> { ["payload"] = payload }, cancellationToken).ConfigureAwait(false);
        return _options.TimeProvider.GetElapsedTime(started);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan> ProbePeerAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);
        using IncomingMessage answer = await CallAsync(new ProbePeerCall(peer, payloadByteCount), null, cancellationToken).ConfigureAwait(false);
        return ((ProbePeerReply)answer.Head.Payload).RoundTrip;
    }

    /// <summary>Brings inputs of a run, which stay the caller's.</summary>
    internal async ValueTask SendAsync(ActivationDelivery delivery, CancellationToken cancellationToken)
    {
        using IncomingMessage _ = await CallAsync(new DeliverCall(delivery.RequestId, delivery.PartitionId, _connection.TakesEncodedTensors ? delivery.Encoding : ActivationEncoding.None), delivery.Tensors, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Abandon(string reason) => _connection.Abandon(reason);

    /// <summary>Closes the connection after the agent has unloaded what was loaded through it, or after some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _isDisposed, true);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the connection without waiting for the agent.</summary>
    internal void BeginClose(string reason) => _connection.BeginClose(reason);

    private ValueTask<IncomingMessage> CallAsync(
        Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _connection.CallAsync(payload, tensors, _requestTimeout, cancellationToken);
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
}

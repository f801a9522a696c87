using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using EdgeSplit.Agents;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using EdgeSplit.Transport.Blobs;
using EdgeSplit.Transport.Connections;
using EdgeSplit.Transport.Duplex;
using EdgeSplit.Transport.Framing;
using EdgeSplit.Transport.Messages;
using EdgeSplit.Transport.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeSplit.Transport;

/// <summary>An agent in another process, behind an <see cref="AgentServer"/>.</summary>
/// <remarks>
/// Thread-safe; many calls share the one connection. Cancelling a call takes it back on the agent too and leaves the
/// connection usable. Once the connection is lost every call, waiting or new, fails with
/// <see cref="EdgeSplitError.AgentUnavailable"/>: connect anew.
/// </remarks>
public sealed class RemoteEdgeAgent : IEdgeAgent
{
    private readonly RemoteEdgeAgentOptions _options;
    private readonly ConcurrentDictionary<int, BlobLoan> _loans = [];
    private PeerConnection _connection = null!;
    private int _lastLoadId;
    private bool _isDisposed;

    private RemoteEdgeAgent(string id, RemoteEdgeAgentOptions options)
    {
        Id = id;
        _options = options;
    }

    /// <inheritdoc/>
    public string Id { get; }

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
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IDuplexConnection? connection = null;
        FrameSource? source = null;
        try
        {
            connection = await options.Transport.ConnectAsync(endPoint, either.Token).ConfigureAwait(false);
            if (options.Tls is not null)
                connection = await TlsConnection.ConnectAsync(connection, options.Tls, HostAndPort.HostOf(endPoint), either.Token).ConfigureAwait(false);
            source = new FrameSource(connection, options.TimeProvider);
            var handshake = new Handshake(connection, source, options.Limits.ToWireLimits(), options.JoinToken);
            HandshakeResult result = await handshake.ConnectAsync(either.Token).ConfigureAwait(false);

            var agent = new RemoteEdgeAgent(result.AgentId, options);
            ILogger logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<RemoteEdgeAgent>();
            agent._connection = new PeerConnection(
                connection, source, result, PeerSettings.From(options, logger), new BlobAnswers(agent._loans), static () => ValueTask.CompletedTask);
            agent._connection.Start();
            return agent;
        }
        catch (Exception exception)
        {
            source?.Dispose();
            if (connection is not null)
                await connection.DisposeAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (!Farewell.IsConnectionLoss(exception))
                throw;
            string what = exception is OperationCanceledException
                ? $"did not answer within {options.ConnectTimeout.TotalSeconds:0.###} s"
                : $"ended the connection during the handshake ({exception.Message})";
            throw new EdgeSplitException(
                EdgeSplitError.AgentUnavailable,
                $"{HostAndPort.Format(endPoint)} {what}. Check that an agent listens there and that both or neither side uses TLS.",
                exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        using IncomingMessage answer = await CallAsync(new EmptyPayload(Operation.Describe), null, cancellationToken).ConfigureAwait(false);
        return ((DescribeReply)answer.Head.Payload).Description;
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
            new ExecuteCall(request.RequestId, request.PartitionId), request.Inputs, cancellationToken).ConfigureAwait(false);
        var reply = (ExecuteReply)answer.Head.Payload;
        return new PartialResult(request.RequestId, request.PartitionId, answer.TakeTensors(), reply.ComputeTime, reply.QueueTime);
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

    /// <summary>Closes the connection after the agent has unloaded what was loaded through it, or after some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _isDisposed, true);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private ValueTask<IncomingMessage> CallAsync(
        Payload payload, IReadOnlyDictionary<string, Tensor>? tensors, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _connection.CallAsync(payload, tensors, _options.RequestTimeout, cancellationToken);
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed), this);
}

using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Grpc.Agents;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc;

/// <summary>An agent in another process, reached over gRPC.</summary>
/// <remarks>
/// Thread-safe; many calls share a connection. Cancelling a call takes it back on the agent too. Once the session with the agent
/// is lost every call, waiting or new, fails with <see cref="EdgeSplitError.AgentUnavailable"/>. An agent that comes back is
/// another object with the same id.
/// </remarks>
public sealed class GrpcEdgeAgent : IEdgeAgent
{
    private static readonly TimeSpan FarewellTimeout = TimeSpan.FromSeconds(5);

    private readonly GrpcConnectOptions _options;
    private readonly GrpcChannel? _channel;
    private readonly V1.Agent.AgentClient _client;
    private readonly CallRules _calls;
    private readonly AsyncDuplexStreamingCall<V1.Heartbeat, V1.SessionMessage> _session;
    private readonly string _sessionId;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _beating = new();
    private readonly Task _heartbeats;
    private string _lostReason = "the session was closed";
    private int _disposed;

    private GrpcEdgeAgent(
        string address,
        GrpcConnectOptions options,
        GrpcChannel? channel,
        V1.Agent.AgentClient client,
        AsyncDuplexStreamingCall<V1.Heartbeat, V1.SessionMessage> session,
        V1.SessionOpened opened)
    {
        Address = address;
        Id = opened.AgentId;
        _options = options;
        _channel = channel;
        _client = client;
        _session = session;
        _sessionId = opened.SessionId;
        _calls = new CallRules(options, $"Agent '{Id}'", _lost.Token);
        _heartbeats = SendHeartbeatsAsync();
        Disconnected = ListenAsync();
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>The agent's address.</summary>
    public string Address { get; }

    /// <summary>Completes when the session has ended, for whatever reason.</summary>
    public Task Disconnected { get; }

    /// <summary>Connects to an agent.</summary>
    /// <param name="address">Such as <c>http://192.0.2.1:7312</c> or <c>https://agent.local:7312</c>.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: nobody answers there in time;
    /// <see cref="EdgeSplitError.AccessDenied"/>: wrong token or certificate; <see cref="EdgeSplitError.ProtocolViolation"/>:
    /// something else answers there; <see cref="EdgeSplitError.InvalidArgument"/>: not an address.</exception>
    public static async ValueTask<GrpcEdgeAgent> ConnectAsync(
        string address, GrpcConnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GrpcConnectOptions();
        GrpcChannel channel = Channels.Create(address, options);
        try
        {
            return await OpenAsync(address, channel.CreateCallInvoker(), channel, options, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Connects to an agent, and again whenever the session was lost, with waits that grow while that fails. Each object given is
    /// the caller's; the next follows when that one is disconnected.
    /// </summary>
    /// <exception cref="EdgeSplitException">The first connection fails in a way that waiting does not mend.</exception>
    public static IAsyncEnumerable<GrpcEdgeAgent> KeepConnectedAsync(
        string address, GrpcConnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        GrpcConnectOptions used = options ?? new GrpcConnectOptions();
        ILogger logger = used.CreateLogger<GrpcEdgeAgent>();
        return new Reconnection(new Backoff(used.RetryDelay, used.MaxRetryDelay), used.TimeProvider, (reason, delay) => GrpcLog.Retrying(logger, address, reason, delay))
            .KeepAsync(token => ConnectAsync(address, used, token), UntilLostAsync, cancellationToken);

        static async Task<string> UntilLostAsync(GrpcEdgeAgent agent)
        {
            await agent.Disconnected.ConfigureAwait(false);
            return agent._lostReason;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        using CallScope scope = _calls.Begin(cancellationToken);
        return await scope.RunAsync(async () =>
            (await _client.DescribeAsync(new V1.DescribeRequest(), scope.Options).ConfigureAwait(false)).ToDescription()).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken)
    {
        using CallScope scope = _calls.Begin(cancellationToken);
        return await scope.RunAsync(async () =>
            (await _client.ReportAsync(new V1.ReportRequest(), scope.Options).ConfigureAwait(false)).ToReport()).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(blobs);
        using CallScope scope = _calls.Begin(cancellationToken, hasDeadline: false);
        return await scope.RunAsync(() => LoadAsync(request, blobs, scope)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        using CallScope scope = _calls.Begin(cancellationToken);
        return await scope.RunAsync(async () =>
        {
            var first = new V1.InferenceRequest { RequestId = request.RequestId.ToMessage(), PartitionId = request.PartitionId };
            using AsyncDuplexStreamingCall<V1.InferenceRequest, V1.PartialResult> call = _client.Execute(scope.Options);
            (V1.PartialResult result, Dictionary<string, Tensor> outputs) = await TensorExchange.RunAsync(
                call, first, request.Inputs, _options, scope.Options.CancellationToken).ConfigureAwait(false);
            return new PartialResult(request.RequestId, request.PartitionId, outputs, result.ComputeTime.ToTime(), result.QueueTime.ToTime());
        }).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitionId);
        using CallScope scope = _calls.Begin(cancellationToken);
        await scope.RunAsync(async () => await _client.UnloadPartitionAsync(
            new V1.UnloadRequest { SessionId = _sessionId, PartitionId = partitionId }, scope.Options).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadByteCount);
        byte[] payload = new byte[Math.Min(payloadByteCount, TensorSender.PartBytes)];
        using CallScope scope = _calls.Begin(cancellationToken);
        long started = _options.TimeProvider.GetTimestamp();
        await scope.RunAsync(async () =>
        {
            using AsyncClientStreamingCall<V1.ProbeRequest, V1.ProbeResponse> call = _client.Probe(scope.Options);
            for (int left = payloadByteCount; left > 0; left -= payload.Length)
            {
                ByteString data = UnsafeByteOperations.UnsafeWrap(payload.AsMemory(0, Math.Min(left, payload.Length)));
                await call.RequestStream.WriteAsync(new V1.ProbeRequest { Data = data }, scope.Options.CancellationToken).ConfigureAwait(false);
            }
            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
            return await call.ResponseAsync.ConfigureAwait(false);
        }).ConfigureAwait(false);
        return _options.TimeProvider.GetElapsedTime(started);
    }

    /// <inheritdoc/>
    public void Abandon(string reason)
    {
        GrpcLog.AgentLost(_options.CreateLogger<GrpcEdgeAgent>(), Id, Address, reason);
        _ = _lost.CancelAsync();
    }

    /// <summary>Ends the session after the agent has unloaded what was loaded through it, or after some seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            await Disconnected.ConfigureAwait(false);
            return;
        }
        await _calls.CloseAsync().ConfigureAwait(false);
        await _beating.CancelAsync().ConfigureAwait(false);
        await _heartbeats.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            await _session.RequestStream.CompleteAsync().WaitAsync(FarewellTimeout).ConfigureAwait(false);
            await Disconnected.WaitAsync(FarewellTimeout).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or TimeoutException or InvalidOperationException)
        {
            // The agent is gone already, or does not answer; it unloads by itself.
        }
        _session.Dispose();
        await Disconnected.ConfigureAwait(false);
        _channel?.Dispose();
    }

    /// <summary>Opens a session with an agent.</summary>
    internal static async ValueTask<GrpcEdgeAgent> OpenAsync(
        string address, CallInvoker invoker, GrpcChannel? channel, GrpcConnectOptions options, CancellationToken cancellationToken)
    {
        var client = new V1.Agent.AgentClient(invoker);
        using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        AsyncDuplexStreamingCall<V1.Heartbeat, V1.SessionMessage> session = client.OpenSession(new CallOptions(Channels.HeadersOf(options)));
        try
        {
            if (await session.ResponseStream.MoveNext(either.Token).ConfigureAwait(false) && session.ResponseStream.Current.Opened is { AgentId.Length: > 0 } opened)
                return new GrpcEdgeAgent(address, options, channel, client, session, opened);
            throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"'{address}' does not answer as an agent does.");
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException)
        {
            session.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw timeout.IsCancellationRequested
                ? new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"'{address}' did not answer within {options.ConnectTimeout}. Is an agent running there?", exception)
                : ((RpcException)exception).ToEdgeSplitException($"'{address}'");
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private async Task<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CallScope scope)
    {
        using AsyncDuplexStreamingCall<V1.LoadRequest, V1.LoadResponse> call = _client.LoadPartition(scope.Options);
        CancellationToken token = scope.Options.CancellationToken;
        await using var lent = new LentBlobs(blobs, request.Partition.Blobs, call.RequestStream);
        try
        {
            foreach (V1.ModelPartitionRequest part in PartitionParts.Split(_sessionId, request))
                await call.RequestStream.WriteAsync(new V1.LoadRequest { Partition = part }, token).ConfigureAwait(false);
            while (await call.ResponseStream.MoveNext(token).ConfigureAwait(false))
            {
                if (call.ResponseStream.Current.Read is { } read)
                {
                    await lent.AnswerAsync(read, token).ConfigureAwait(false);
                    continue;
                }
                PartitionLoaded loaded = (call.ResponseStream.Current.Loaded
                    ?? throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"Agent '{Id}' answered a load with an empty message.")).ToLoaded();
                // From here on the load counts, so cancelling comes too late.
                scope.IgnoreCaller();
                await call.RequestStream.CompleteAsync().ConfigureAwait(false);
                while (await call.ResponseStream.MoveNext(CancellationToken.None).ConfigureAwait(false))
                {
                    // Nothing should come any more; the end says that the load counts.
                }
                return loaded;
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or RpcException)
        {
            // A write to a call that has ended fails in ways of its own; why it ended stands in the answer.
            await TensorExchange.DrainAsync(call.ResponseStream).ConfigureAwait(false);
            throw;
        }
        throw new EdgeSplitException(EdgeSplitError.ProtocolViolation, $"Agent '{Id}' ended a load without an answer.");
    }

    private async Task SendHeartbeatsAsync()
    {
        using var timer = new PeriodicTimer(_options.HeartbeatInterval, _options.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(_beating.Token).ConfigureAwait(false))
                await _session.RequestStream.WriteAsync(new V1.Heartbeat()).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RpcException or OperationCanceledException or InvalidOperationException)
        {
            // Whoever listens to the session notices its end.
        }
    }

    private async Task ListenAsync()
    {
        await Task.Yield();
        try
        {
            await Sessions.ListenAsync(_session.ResponseStream, _options, static _ => { }, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _lostReason = exception.Message;
        }
        if (Volatile.Read(ref _disposed) == 0)
            GrpcLog.AgentLost(_options.CreateLogger<GrpcEdgeAgent>(), Id, Address, _lostReason);
        await _lost.CancelAsync().ConfigureAwait(false);
        await _beating.CancelAsync().ConfigureAwait(false);
        _session.Dispose();
    }
}

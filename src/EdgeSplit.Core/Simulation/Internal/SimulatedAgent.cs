using System.Collections.Concurrent;
using EdgeSplit.Agents;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Simulation.Internal;

/// <summary>One run of an agent on a simulated host: takes the time that its host's processor and network would take, and computes nothing.</summary>
internal sealed class SimulatedAgent(SimulatedHost host, SimulatedModel model) : IEdgeAgent
{
    // Reading weights into memory and building a session, on top of receiving them.
    private const double LoadBytesPerSecond = 1e9;
    private static readonly TimeSpan SessionTime = TimeSpan.FromMilliseconds(20);
    private static readonly byte[] Content = new byte[1];

    private readonly ConcurrentDictionary<string, SimulatedStage> _loaded = new();
    private readonly CancellationTokenSource _crash = new();
    private readonly TaskCompletionSource _silence = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _reports;
    private int _pending;
    private volatile bool _isSilent;

    public string Id => host.Device.Id;

    /// <summary>Ends at once, so that its connections break.</summary>
    public void Crash() => _crash.Cancel();

    /// <summary>Stops answering, without its connections breaking.</summary>
    public void FallSilent() => _isSilent = true;

    /// <summary>Answers again, and what it was asked meanwhile.</summary>
    public void Speak()
    {
        _isSilent = false;
        _silence.TrySetResult();
    }

    public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) => AnswerAsync(
        TimeSpan.Zero,
        () => new AgentDescription { Device = host.Device, Runtime = "simulated", ExecutionProvider = "CPU", HostName = Id, Platform = "simulated", ProcessorCount = host.Device.ConcurrentStages },
        cancellationToken);

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken)
    {
        // Answered at once where nothing is wrong: a thousand agents report several times a second.
        if (!_isSilent && !_crash.IsCancellationRequested)
            return new ValueTask<ResourceReport>(CreateReport());
        return AnswerAsync(TimeSpan.Zero, CreateReport, cancellationToken);
    }

    public async ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        long started = host.Time.GetTimestamp();
        long missing = host.Keep(request.Partition.Blobs);
        TimeSpan build = SessionTime + TimeSpan.FromSeconds(request.Partition.WeightBytes / LoadBytesPerSecond);
        TimeSpan transfer = missing == 0 ? host.Network.Latency : host.Network.Occupy(missing, isSending: false);
        return await AnswerAsync(
            transfer + build,
            () =>
            {
                _loaded[request.Partition.Id] = model.StageOf(request.Partition, host.Device);
                return new PartitionLoaded(request.Partition.Id, host.Time.GetElapsedTime(started), missing);
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        if (!_loaded.TryGetValue(request.PartitionId, out SimulatedStage? stage))
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"Partition '{request.PartitionId}' is not loaded on agent '{Id}'. Load it first.");
        Interlocked.Increment(ref _pending);
        try
        {
            await AnswerAsync(host.Network.Occupy(stage.InputBytes, isSending: false), static () => true, cancellationToken).ConfigureAwait(false);
            (TimeSpan queue, TimeSpan compute) = host.Processor.Occupy(stage.Seconds);
            await AnswerAsync(queue + compute, static () => true, cancellationToken).ConfigureAwait(false);
            return await AnswerAsync(
                host.Network.Occupy(stage.OutputBytes, isSending: true),
                () => new PartialResult(
                    request.RequestId,
                    request.PartitionId,
                    stage.Outputs.ToDictionary(static name => name, static _ => Tensor.Wrap(TensorElementType.UInt8, new TensorShape(1), Content)),
                    compute,
                    queue),
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        _loaded.TryRemove(partitionId, out _);
        return ValueTask.CompletedTask;
    }

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken)
    {
        TimeSpan roundTrip = host.Network.RoundTrip(payloadByteCount);
        return AnswerAsync(roundTrip, () => roundTrip, cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Crash();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<T> AnswerAsync<T>(TimeSpan after, Func<T> answer, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _crash.Token);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            if (after > TimeSpan.Zero)
                await Task.Delay(after, host.Time, either.Token).ConfigureAwait(false);
            if (_isSilent)
                await _silence.Task.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"The connection to agent '{Id}' has ended.");
        }
        return answer();
    }

    private ResourceReport CreateReport()
    {
        double own = host.Processor.TakeBusyShare();
        double other = host.Processor.OtherLoad * host.Noise.NextFactor();
        return new ResourceReport
        {
            AgentId = Id,
            SequenceNumber = Interlocked.Increment(ref _reports),
            Timestamp = host.Time.GetUtcNow(),
            Resources = new ResourceSample { HostCpuLoad = Math.Clamp(own + other, 0, 1), ProcessCpuLoad = own },
            LoadedPartitions = _loaded.Count,
            PendingExecutions = Volatile.Read(ref _pending),
        };
    }
}

using System.Collections.Concurrent;
using EdgeSplit.Agents;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Storage.Internal;
using EdgeSplit.Tensors;

namespace EdgeSplit.Simulation.Internal;

/// <summary>One run of an agent on a simulated host: takes the time that its host's processor and network would take, and computes nothing.</summary>
internal sealed class SimulatedAgent(SimulatedHost host, SimulatedModel model) : IEdgeAgent
{
    // Reading weights into memory and building a session, on top of receiving them.
    private const double LoadBytesPerSecond = 1e9;
    private const int PieceBytes = 64 << 10;
    private static readonly TimeSpan SessionTime = TimeSpan.FromMilliseconds(20);
    private static readonly byte[] Content = new byte[1];

    private readonly ConcurrentDictionary<string, (SimulatedStage Stage, int Loads)> _loaded = new();
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
        _ => ValueTask.FromResult(new AgentDescription
        {
            Device = host.Device,
            Runtime = "simulated",
            ExecutionProvider = "CPU",
            HostName = Id,
            Platform = "simulated",
            ProcessorCount = host.Device.ConcurrentStages,
        }),
        cancellationToken);

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken)
    {
        // Answered at once where nothing is wrong: a thousand agents report several times a second.
        if (!_isSilent && !_crash.IsCancellationRequested)
            return new ValueTask<ResourceReport>(CreateReport());
        return AnswerAsync(_ => ValueTask.FromResult(CreateReport()), cancellationToken);
    }

    public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken) => AnswerAsync(
        async token =>
        {
            long started = host.Time.GetTimestamp();
            long missing = host.Keep(request.Partition.Blobs);
            await ReceiveAsync(missing, blobs as PacedBlobSource, token).ConfigureAwait(false);
            if (request.Partition.IsWeightsOnly)
                return new PartitionLoaded(request.Partition.Id, host.Time.GetElapsedTime(started), missing);
            await PreciseDelay.WaitAsync(host.Time, SessionTime + TimeSpan.FromSeconds(request.Partition.WeightBytes / LoadBytesPerSecond), token).ConfigureAwait(false);
            SimulatedStage stage = model.StageOf(request.Partition, host.Device);
            _loaded.AddOrUpdate(request.Partition.Id, _ => (stage, 1), static (_, known) => (known.Stage, known.Loads + 1));
            return new PartitionLoaded(request.Partition.Id, host.Time.GetElapsedTime(started), missing);
        },
        cancellationToken);

    /// <summary>Takes weights over the network, in pieces where their source lets them wait.</summary>
    private async ValueTask ReceiveAsync(long byteCount, PacedBlobSource? pace, CancellationToken cancellationToken)
    {
        while (pace is not null && byteCount > PieceBytes)
        {
            await pace.WaitAsync(PieceBytes, cancellationToken).ConfigureAwait(false);
            await host.Network.ReceiveAsync(PieceBytes, cancellationToken).ConfigureAwait(false);
            byteCount -= PieceBytes;
        }
        await host.Network.ReceiveAsync(byteCount, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        if (!_loaded.TryGetValue(request.PartitionId, out (SimulatedStage Stage, int) known))
            throw new EdgeSplitException(EdgeSplitError.NotFound, $"Partition '{request.PartitionId}' is not loaded on agent '{Id}'. Load it first.");
        SimulatedStage stage = known.Stage;
        Interlocked.Increment(ref _pending);
        try
        {
            return await AnswerAsync(
                async token =>
                {
                    await host.Network.ReceiveAsync(stage.InputBytes, token).ConfigureAwait(false);
                    (TimeSpan queue, TimeSpan compute) = await host.Processor.ComputeAsync(stage.Seconds, token).ConfigureAwait(false);
                    await host.Network.SendAsync(stage.OutputBytes, token).ConfigureAwait(false);
                    Dictionary<string, Tensor> outputs = stage.Outputs.ToDictionary(static name => name, static _ => Tensor.Wrap(TensorElementType.UInt8, new TensorShape(1), Content));
                    return new PartialResult(request.RequestId, request.PartitionId, outputs, compute, queue);
                },
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        // It stays until unloaded as often as loaded.
        while (_loaded.TryGetValue(partitionId, out (SimulatedStage Stage, int Loads) known))
        {
            if (known.Loads == 1 ? _loaded.TryRemove(KeyValuePair.Create(partitionId, known)) : _loaded.TryUpdate(partitionId, (known.Stage, known.Loads - 1), known))
                break;
        }
        return ValueTask.CompletedTask;
    }

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => AnswerAsync(
        async token =>
        {
            TimeSpan roundTrip = host.Network.RoundTrip(payloadByteCount);
            await PreciseDelay.WaitAsync(host.Time, roundTrip, token).ConfigureAwait(false);
            return roundTrip;
        },
        cancellationToken);

    public void Abandon(string reason) => Crash();

    public ValueTask DisposeAsync()
    {
        Crash();
        return ValueTask.CompletedTask;
    }

    /// <summary>Does what was asked, and answers unless the agent has crashed; one that is silent answers when it speaks again.</summary>
    private async ValueTask<T> AnswerAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _crash.Token);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            T answer = await work(either.Token).ConfigureAwait(false);
            if (_isSilent)
                await _silence.Task.WaitAsync(either.Token).ConfigureAwait(false);
            return answer;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"The connection to agent '{Id}' has ended.");
        }
    }

    private ResourceReport CreateReport()
    {
        double own = host.Processor.TakeOwnShare();
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

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Agents;

/// <summary>An agent in this process: keeps weights by content hash, and runs partitions one after the other on threads of its own.</summary>
public sealed class EdgeAgent : IEdgeAgent
{
    private const int ParallelBlobFetches = 4;

    private readonly IPartitionRuntime _runtime;
    private readonly EdgeAgentOptions _options;
    private readonly IResourceMonitor _monitor;
    private readonly IBlobStore _blobStore;
    private readonly TemporaryBlobFolder? _ownFolder;
    private readonly PartitionTable _partitions = new();
    private readonly ExecutionQueue _queue;
    private readonly Mailbox _mailbox;
    private readonly SemaphoreSlim _fetching = new(1);
    private readonly CancellationTokenSource _lifetime = new();
    private readonly Lock _descriptionLock = new();
    private Task<AgentDescription>? _description;
    private long _reports;
    private int _disposed;

    /// <summary>Creates an agent.</summary>
    /// <param name="id">1 to 64 letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, unique among the agents of a coordinator.</param>
    /// <param name="runtime">Executes the partitions. Stays the caller's.</param>
    /// <param name="options">What the agent may use; defaults where null.</param>
    /// <exception cref="ArgumentException">The id has other characters.</exception>
    public EdgeAgent(string id, IPartitionRuntime runtime, EdgeAgentOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(runtime);
        Id = AgentId.Checked(id);
        _runtime = runtime;
        _options = options ?? new EdgeAgentOptions();
        _monitor = _options.Monitor ?? new SystemResourceMonitor();
        _blobStore = _options.BlobStore ?? (_ownFolder = new TemporaryBlobFolder()).Store;
        _queue = new ExecutionQueue(id, _options.MaxConcurrentExecutions, _options.MaxQueuedExecutions);
        _mailbox = new Mailbox(id, _options.MaxDeliveredBytes, _options.TimeProvider);
    }

    /// <inheritdoc/>
    public string Id { get; }

    /// <summary>What the agent is. The first call measures the device, in about a second, unless the options state it.</summary>
    /// <inheritdoc/>
    public async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        Task<AgentDescription> description;
        lock (_descriptionLock)
        {
            // A measurement that failed is tried again.
            if (_description is null or { IsFaulted: true } or { IsCanceled: true })
                _description = Task.Run(CreateDescriptionAsync, CancellationToken.None);
            description = _description;
        }
        return await description.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<ResourceReport>(new ResourceReport
        {
            AgentId = Id,
            SequenceNumber = Interlocked.Increment(ref _reports),
            Timestamp = _options.TimeProvider.GetUtcNow(),
            Resources = _monitor.Sample(),
            LoadedPartitions = _partitions.Count,
            PendingExecutions = _queue.Pending,
        });
    }

    /// <inheritdoc/>
    public async ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(blobs);
        ThrowIfDisposed();
        ModelPartition partition = request.Partition;
        long started = _options.TimeProvider.GetTimestamp();
        long received = 0;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _lifetime.Token);
        try
        {
            if (partition.IsWeightsOnly)
            {
                received = await FetchMissingAsync(partition, blobs, either.Token).ConfigureAwait(false);
                return new PartitionLoaded(partition.Id, _options.TimeProvider.GetElapsedTime(started), received);
            }
            await _partitions.LoadAsync(
                partition.Id,
                async token =>
                {
                    IDisposable? weights = _blobStore.Hold(partition.Blobs);
                    try
                    {
                        received = await FetchMissingAsync(partition, blobs, token).ConfigureAwait(false);
                        IPartitionExecutor executor = await _runtime.LoadAsync(partition, _blobStore.Folder, request.IsUrgent, token).ConfigureAwait(false);
                        return weights is null ? executor : new HoldingExecutor(executor, weights);
                    }
                    catch
                    {
                        weights?.Dispose();
                        throw;
                    }
                },
                either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_disposed != 0)
        {
            throw new EdgeSplitException(EdgeSplitError.AgentUnavailable, $"Agent '{Id}' was shut down while it loaded partition '{partition.Id}'.");
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            _options.Logger.PartitionLoadFailed(exception, Id, partition.Id, request.ModelName);
            throw;
        }
        TimeSpan loadTime = _options.TimeProvider.GetElapsedTime(started);
        _options.Logger.PartitionLoaded(Id, partition.Id, request.ModelName, loadTime, received);
        return new PartitionLoaded(partition.Id, loadTime, received);
    }

    /// <inheritdoc/>
    public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ThrowIfDisposed();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<PartialResult>(cancellationToken);
        return request.Exchange is { } exchange ? ExecuteWithPeersAsync(request, exchange, cancellationToken) : ExecuteHereAsync(request, cancellationToken);
    }

    private ValueTask<PartialResult> ExecuteHereAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        LoadedPartition partition = _partitions.TryUse(request.PartitionId)
            ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"Partition '{request.PartitionId}' is not loaded on agent '{Id}'. Load it first.");
        var execution = new Execution(Id, request, partition, _options.TimeProvider, cancellationToken);
        try
        {
            _queue.Add(execution);
        }
        catch
        {
            partition.Release();
            throw;
        }
        return new ValueTask<PartialResult>(execution.Task);
    }

    /// <inheritdoc/>
    public async ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(partitionId);
        await _partitions.UnloadAsync(partitionId, cancellationToken).ConfigureAwait(false);
        _options.Logger.PartitionUnloaded(Id, partitionId);
    }

    /// <inheritdoc/>
    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payloadByteCount);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return new ValueTask<TimeSpan>(TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan> ProbePeerAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentOutOfRangeException.ThrowIfNegative(payloadByteCount);
        ThrowIfDisposed();
        if (_options.Peers is not { } peers)
            throw PeerForwarder.NoPeers(Id);
        try
        {
            return await peers.ProbeAsync(peer, payloadByteCount, cancellationToken).ConfigureAwait(false);
        }
        catch (EdgeSplitException exception)
        {
            throw PeerForwarder.Unavailable(Id, peer, exception);
        }
    }

    /// <inheritdoc/>
    public ValueTask DeliverAsync(ActivationDelivery delivery, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        ThrowIfDisposed();
        _mailbox.Add(delivery);
        return ValueTask.CompletedTask;
    }

    /// <summary>Fails executions that wait, lets running ones end, unloads everything and deletes the agent's own folder.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _lifetime.CancelAsync().ConfigureAwait(false);
        _mailbox.Close();
        await _queue.CloseAsync().ConfigureAwait(false);
        await _partitions.CloseAsync().ConfigureAwait(false);
        _ownFolder?.Dispose();
    }

    private async ValueTask<PartialResult> ExecuteWithPeersAsync(InferenceRequest request, PeerExchange exchange, CancellationToken cancellationToken)
    {
        long asked = _options.TimeProvider.GetTimestamp();
        Dictionary<string, Tensor> delivered = exchange.Awaited.IsEmpty
            ? []
            : await _mailbox.TakeAsync(request.RequestId, request.PartitionId, exchange.Awaited, cancellationToken).ConfigureAwait(false);
        TimeSpan waited = _options.TimeProvider.GetElapsedTime(asked);
        PartialResult result;
        try
        {
            var inputs = new Dictionary<string, Tensor>(request.Inputs);
            foreach ((string name, Tensor tensor) in delivered)
            {
                if (!inputs.TryAdd(name, tensor))
                    throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"The input '{name}' of partition '{request.PartitionId}' came with the request, and is also to come from another agent.");
            }
            result = await ExecuteHereAsync(request with { Inputs = inputs, Exchange = null }, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            delivered.DisposeTensors();
        }
        try
        {
            ImmutableArray<TimeSpan> deliveryTimes = await new PeerForwarder(Id, _options.Peers, _mailbox, _options.TimeProvider)
                .ForwardAsync(request.RequestId, exchange.Deliveries, result.Outputs, cancellationToken).ConfigureAwait(false);
            var returned = new Dictionary<string, Tensor>(exchange.Returned.Length);
            foreach ((string name, Tensor tensor) in result.Outputs)
            {
                if (exchange.Returned.Contains(name))
                    returned.Add(name, tensor);
                else
                    tensor.Dispose();
            }
            return result with { Outputs = returned, WaitTime = waited, DeliveryTimes = deliveryTimes };
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    private async Task<AgentDescription> CreateDescriptionAsync()
    {
        Device device = _options.Device ?? await CalibrateAsync().ConfigureAwait(false);
        return new AgentDescription
        {
            Device = device with { Id = Id },
            Runtime = _runtime.Name,
            ExecutionProvider = _runtime.ExecutionProvider,
            HostName = Environment.MachineName,
            Platform = RuntimeInformation.RuntimeIdentifier,
            ProcessorCount = Environment.ProcessorCount,
        };
    }

    private async Task<Device> CalibrateAsync()
    {
        Device device = await _runtime.CalibrateAsync(_lifetime.Token).ConfigureAwait(false);
        _options.Logger.Calibrated(Id, device.FlopsPerSecond, device.MemoryBytesPerSecond);
        return device with
        {
            ConcurrentStages = _options.MaxConcurrentExecutions,
            MemoryBytes = Math.Min(device.MemoryBytes, _monitor.Sample().AvailableMemoryBytes ?? long.MaxValue),
        };
    }

    private async ValueTask<long> FetchMissingAsync(ModelPartition partition, IBlobSource blobs, CancellationToken cancellationToken)
    {
        // One partition at a time, so that a weight that two partitions share is fetched once.
        await _fetching.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            long received = 0;
            BlobReference[] missing = [.. partition.Blobs.Where(blob => !_blobStore.Contains(blob))];
            await Parallel.ForEachAsync(
                missing,
                new ParallelOptions { MaxDegreeOfParallelism = ParallelBlobFetches, CancellationToken = cancellationToken },
                async (blob, token) => Interlocked.Add(ref received, await _blobStore.FetchAsync(blob, blobs, token).ConfigureAwait(false))).ConfigureAwait(false);
            return received;
        }
        finally
        {
            _fetching.Release();
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed != 0, this);
}

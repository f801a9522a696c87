using System.Collections.Concurrent;
using System.Security.Cryptography;
using EdgeSplit.Agents;
using EdgeSplit.Devices;
using EdgeSplit.Monitoring;
using EdgeSplit.Storage;

namespace EdgeSplit.Transport.Tests;

/// <summary>An agent that returns its inputs as outputs, and that a test can hold up or make fail.</summary>
internal sealed class FakeAgent(string id = "fake") : IEdgeAgent
{
    private int _executing;

    public string Id => id;

    /// <summary>Loads by partition id, as often as loaded and not unloaded.</summary>
    public ConcurrentDictionary<string, int> Loaded { get; } = new();

    /// <summary>The bytes of the blobs of the latest load.</summary>
    public ConcurrentDictionary<ContentHash, byte[]> Blobs { get; } = new();

    public int Executing => Volatile.Read(ref _executing);

    public AgentDescription Description { get; init; } = new()
    {
        Device = new Device { Id = id },
        Runtime = "fake 1",
        ExecutionProvider = "CPU",
    };

    public ResourceReport Report { get; init; } = new()
    {
        AgentId = id,
        SequenceNumber = 1,
        Timestamp = DateTimeOffset.UnixEpoch,
        Resources = new ResourceSample(),
    };

    /// <summary>Runs in place of an execution.</summary>
    public Func<InferenceRequest, CancellationToken, ValueTask<PartialResult>> OnExecute { get; set; } =
        static (request, _) => ValueTask.FromResult(Echo(request));

    /// <summary>Answers in place of <see cref="Report"/>.</summary>
    public Func<CancellationToken, ValueTask<ResourceReport>>? OnReport { get; init; }

    public static PartialResult Echo(InferenceRequest request) => new(
        request.RequestId,
        request.PartitionId,
        request.Inputs.ToDictionary(input => input.Key, input => input.Value.Clone()),
        TimeSpan.FromMilliseconds(3),
        TimeSpan.FromMilliseconds(1));

    public ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Description);

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => OnReport?.Invoke(cancellationToken) ?? ValueTask.FromResult(Report);

    public async ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken)
    {
        long received = 0;
        foreach (BlobReference blob in request.Partition.Blobs)
        {
            await using Stream stream = await blobs.OpenBlobAsync(blob.Hash, cancellationToken);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content, cancellationToken);
            if (new ContentHash(SHA256.HashData(content.ToArray())) != blob.Hash)
                throw new EdgeSplitException(EdgeSplitError.IntegrityFailure, $"Blob {blob.Hash} is not what it should be.");
            Blobs[blob.Hash] = content.ToArray();
            received += content.Length;
        }
        Loaded.AddOrUpdate(request.Partition.Id, 1, static (_, count) => count + 1);
        return new PartitionLoaded(request.Partition.Id, TimeSpan.FromMilliseconds(5), received);
    }

    public async ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _executing);
        try
        {
            return await OnExecute(request, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _executing);
        }
    }

    public ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        Loaded.AddOrUpdate(partitionId, static key => throw new InvalidOperationException($"{key} is not loaded."), static (_, count) => count - 1);
        return ValueTask.CompletedTask;
    }

    public ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken) => ValueTask.FromResult(TimeSpan.Zero);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

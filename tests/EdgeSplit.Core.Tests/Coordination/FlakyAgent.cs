using EdgeSplit.Agents;
using EdgeSplit.Storage;

namespace EdgeSplit.Tests.Coordination;

/// <summary>An agent that a test can cut off, and that a link to it can be given.</summary>
internal sealed class FlakyAgent(IEdgeAgent inner) : IEdgeAgent
{
    private readonly CancellationTokenSource _cut = new();

    public string Id => inner.Id;

    /// <summary>The round trip of a payload.</summary>
    public Func<int, TimeSpan> RoundTrip { get; set; } = static _ => TimeSpan.Zero;

    /// <summary>What a probe waits for; null for nothing.</summary>
    public Func<CancellationToken, Task>? Probing { get; set; }

    /// <summary>Where other agents connect to it; null for nowhere.</summary>
    public string? Address { get; init; }

    /// <summary>The round trip of a payload to another agent; null where it reaches none.</summary>
    public Func<int, TimeSpan>? PeerRoundTrip { get; set; }

    /// <summary>Cuts the connection: what runs fails at once, and so does every later call.</summary>
    public void Cut() => _cut.Cancel();

    public async ValueTask<AgentDescription> DescribeAsync(CancellationToken cancellationToken) =>
        await GuardAsync(inner.DescribeAsync, cancellationToken) with { Address = Address };

    public ValueTask<TimeSpan> ProbePeerAsync(PeerAddress peer, int payloadByteCount, CancellationToken cancellationToken) => PeerRoundTrip is { } roundTrip
        ? new ValueTask<TimeSpan>(roundTrip(payloadByteCount))
        : throw new EdgeSplitException(EdgeSplitError.PeerUnavailable, $"Agent '{Id}' does not reach '{peer.AgentId}'.");

    public ValueTask<ResourceReport> ReportAsync(CancellationToken cancellationToken) => GuardAsync(inner.ReportAsync, cancellationToken);

    public ValueTask<PartitionLoaded> LoadAsync(ModelPartitionRequest request, IBlobSource blobs, CancellationToken cancellationToken) =>
        GuardAsync(token => inner.LoadAsync(request, blobs, token), cancellationToken);

    public ValueTask<PartialResult> ExecuteAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        GuardAsync(token => inner.ExecuteAsync(request, token), cancellationToken);

    public async ValueTask UnloadAsync(string partitionId, CancellationToken cancellationToken)
    {
        if (_cut.IsCancellationRequested)
            throw Lost();
        await inner.UnloadAsync(partitionId, cancellationToken);
    }

    public async ValueTask<TimeSpan> ProbeAsync(int payloadByteCount, CancellationToken cancellationToken)
    {
        await GuardAsync(token => inner.ProbeAsync(payloadByteCount, token), cancellationToken);
        if (Probing is not null)
            await Probing(cancellationToken);
        return RoundTrip(payloadByteCount);
    }

    public void Abandon(string reason) => Cut();

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<T> GuardAsync<T>(Func<CancellationToken, ValueTask<T>> call, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException) when (_cut.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Lost();
        }
    }

    private EdgeSplitException Lost() => new(EdgeSplitError.AgentUnavailable, $"The connection to agent '{Id}' was lost.");
}

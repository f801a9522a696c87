using System.Collections.Immutable;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination;

/// <summary>A request's result. The caller disposes of it, and with it of the outputs.</summary>
public sealed record FinalResult(
    Guid RequestId,
    IReadOnlyDictionary<string, Tensor> Outputs,
    long Epoch,
    TimeSpan Latency,
    ImmutableArray<StageTiming> Stages) : IDisposable
{
    /// <summary>Disposes of the outputs.</summary>
    public void Dispose()
    {
        Outputs.DisposeTensors();
    }
}

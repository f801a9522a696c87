using EdgeSplit.Coordination;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>How often a model was run for clients of the protocol, and how long that took.</summary>
internal sealed class ModelCounters(TimeProvider time)
{
    private const long NanosecondsPerTick = 100;

    private readonly Lock _gate = new();
    private long _successes;
    private long _failures;
    private TimeSpan _succeeded;
    private TimeSpan _failed;
    private TimeSpan _queued;
    private TimeSpan _moved;
    private TimeSpan _computed;
    private DateTimeOffset? _last;

    public void Succeeded(TimeSpan took, FinalResult result)
    {
        lock (_gate)
        {
            _successes++;
            _succeeded += took;
            foreach (StageTiming stage in result.Stages)
            {
                _queued += stage.Queue;
                _computed += stage.Compute;
                _moved += stage.Transfer > TimeSpan.Zero ? stage.Transfer : TimeSpan.Zero;
            }
            _last = time.GetUtcNow();
        }
    }

    public void Failed(TimeSpan took)
    {
        lock (_gate)
        {
            _failures++;
            _failed += took;
            _last = time.GetUtcNow();
        }
    }

    public V2.ModelStatistics Read(ServedModel model)
    {
        lock (_gate)
        {
            return new V2.ModelStatistics
            {
                Name = model.Name,
                Version = model.VersionText,
                LastInference = (ulong)(_last?.ToUnixTimeMilliseconds() ?? 0),
                InferenceCount = (ulong)_successes,
                ExecutionCount = (ulong)_successes,
                InferenceStats = new V2.InferStatistics
                {
                    Success = Sum(_successes, _succeeded),
                    Fail = Sum(_failures, _failed),
                    Queue = Sum(_successes, _queued),
                    ComputeInput = Sum(_successes, _moved),
                    ComputeInfer = Sum(_successes, _computed),
                    ComputeOutput = Sum(_successes, TimeSpan.Zero),
                },
            };
        }
    }

    private static V2.StatisticDuration Sum(long count, TimeSpan total) => new() { Count = (ulong)count, Ns = (ulong)(total.Ticks * NanosecondsPerTick) };
}

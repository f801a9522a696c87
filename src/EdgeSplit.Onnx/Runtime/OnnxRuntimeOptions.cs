using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>How partitions are run.</summary>
public sealed record OnnxRuntimeOptions
{
    private readonly int _intraOpThreads;
    private readonly GraphOptimization _optimization = GraphOptimization.All;
    private readonly long _optimizedModelLimitBytes = 1L << 30;

    /// <summary>Threads that work on one operator, the calling one included. Give agents that share a machine a share of its cores each.</summary>
    /// <value>Default: 0, one for each processor.</value>
    public int IntraOpThreads
    {
        get => _intraOpThreads;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _intraOpThreads = value;
        }
    }

    /// <summary>How far ONNX Runtime rewrites a partition when it loads it.</summary>
    /// <value>Default: <see cref="GraphOptimization.All"/>.</value>
    public GraphOptimization Optimization
    {
        get => _optimization;
        init => _optimization = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "There is no such level.");
    }

    /// <summary>
    /// Execution providers to prefer, best first, by ONNX Runtime's names without their ending (<c>CUDA</c>, <c>TensorRT</c>,
    /// <c>DML</c>, <c>CoreML</c>, <c>OpenVINO</c>, <c>XNNPACK</c>). The first that works here is used, and the CPU where none does
    /// and for operators that the provider lacks.
    /// </summary>
    /// <value>Default: none, so the CPU.</value>
    public ImmutableArray<string> ExecutionProviders { get; init; } = [];

    /// <summary>
    /// Whether a partition is run once when it is loaded, with zeros, so that the first request does not pay for what ONNX Runtime puts
    /// off until the first run. Only where the shapes of all inputs are known, but for that of a batch, and no operator draws random
    /// numbers; what fails or takes longer than a second ends unheard.
    /// </summary>
    /// <value>Default: true.</value>
    public bool WarmsUp { get; init; } = true;

    /// <summary>
    /// A folder, on a disk rather than in memory, that keeps partitions as ONNX Runtime has rewritten them, while the process runs. A partition that comes back, as
    /// plans change, then loads in milliseconds, and weights lie in mapped files, which several sessions share and the system may take back; its first load
    /// takes about half as long again. The folder may be shared by agents. Only on the CPU, and of no use where <see cref="Optimization"/> is off.
    /// </summary>
    /// <value>Default: null, none.</value>
    public string? OptimizedModelFolder { get; init; }

    /// <summary>The bytes that <see cref="OptimizedModelFolder"/> may take for this runtime, 1 or more; what was used least recently goes first.</summary>
    /// <value>Default: 1 GiB.</value>
    public long OptimizedModelLimitBytes
    {
        get => _optimizedModelLimitBytes;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _optimizedModelLimitBytes = value;
        }
    }

    /// <summary>The number of threads that <see cref="IntraOpThreads"/> stands for on this machine.</summary>
    internal int ThreadCount => IntraOpThreads > 0 ? IntraOpThreads : Environment.ProcessorCount;
}

using System.Collections.Immutable;

namespace EdgeSplit.Onnx.Runtime;

/// <summary>How partitions are run.</summary>
public sealed record OnnxRuntimeOptions
{
    private readonly int _intraOpThreads;
    private readonly GraphOptimization _optimization = GraphOptimization.All;

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

    /// <summary>The number of threads that <see cref="IntraOpThreads"/> stands for on this machine.</summary>
    internal int ThreadCount => IntraOpThreads > 0 ? IntraOpThreads : Environment.ProcessorCount;
}

namespace EdgeSplit.Onnx.Runtime.Profiling;

/// <summary>How a model's layers are measured.</summary>
public sealed record LayerProfilerOptions
{
    private readonly TimeSpan _duration = TimeSpan.FromSeconds(3);

    /// <summary>About how long runs are repeated; loading the model twice comes on top, and at least three runs of each kind are made.</summary>
    /// <value>Default: 3 s.</value>
    public TimeSpan Duration
    {
        get => _duration;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            _duration = value;
        }
    }

    /// <summary>The folder that keeps results, so that a model is measured once on a machine; created where missing.</summary>
    /// <value>Default: null, nothing is kept.</value>
    public string? CacheFolder { get; init; }

    /// <summary>Sizes of symbolic dimensions by symbol, for the inputs that are made; see <see cref="RandomTensors"/>.</summary>
    /// <value>Default: null, the usual sizes.</value>
    public IReadOnlyDictionary<string, long>? FreeDimensions { get; init; }
}

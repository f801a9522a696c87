using EdgeSplit.Coordination;
using EdgeSplit.Costs;

namespace EdgeSplit.Hosting;

/// <summary>How an application's coordinator plans and serves, and what it deploys.</summary>
public sealed class CoordinatorHostOptions
{
    /// <summary>The coordinator's id among the devices.</summary>
    /// <value>Default: <c>coordinator</c>.</value>
    public string Id { get; set; } = "coordinator";

    /// <summary>The models that are deployed at the start.</summary>
    public IList<ModelHostOptions> Models { get; } = [];

    /// <summary>A folder that keeps models, partitions and weights; null to keep nothing.</summary>
    public string? Repository { get; set; }

    /// <summary>
    /// Whether models that were deployed when a coordinator with this <see cref="Repository"/> ended are deployed again, with those that
    /// <see cref="Models"/> names, and go on with the plans they had where their agents come back.
    /// </summary>
    /// <value>Default: true.</value>
    public bool RestoresModels { get; set; } = true;

    /// <summary>Agents to wait for before models are deployed. Those that come later are used too, once that pays.</summary>
    /// <value>Default: 1.</value>
    public int MinimumAgents { get; set; } = 1;

    /// <summary>What plans minimise.</summary>
    /// <value>Default: latency.</value>
    public PlanObjective Objective { get; set; } = PlanObjective.Latency;

    /// <summary>The most devices that may hold a copy of one stage, so that requests take them in turn.</summary>
    /// <value>Default: null, as many as pay where <see cref="Objective"/> is throughput, and 1 otherwise.</value>
    public int? MaximumReplicas { get; set; }

    /// <summary>Whether the coordinator runs layers itself.</summary>
    public bool RunsLayers { get; set; }

    /// <summary>Requests that are worked on at the same time.</summary>
    /// <value>Default: 32.</value>
    public int MaxInFlightRequests { get; set; } = 32;

    /// <summary>Requests that wait for their turn; further ones fail.</summary>
    /// <value>Default: 1024.</value>
    public int MaxQueuedRequests { get; set; } = 1024;

    /// <summary>Requests that each stage has under way, for each that its agent runs at a time.</summary>
    /// <value>Default: 3.</value>
    public int StageWindow { get; set; } = 3;

    /// <summary>Joins requests of up to this many rows in all, where the model allows it; 1 to join none.</summary>
    /// <value>Default: 1.</value>
    public int MaxBatch { get; set; } = 1;

    /// <summary>How long a request waits at most for others to be joined with.</summary>
    /// <value>Default: 2 ms.</value>
    public TimeSpan MaxBatchDelay { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>
    /// Lets links carry activations compressed, each number changed by at most this much of its tensor's largest: 0 for lossless only,
    /// null to compress nothing.
    /// </summary>
    public double? CompressionErrorBudget { get; set; }

    /// <summary>Changes what has no option here, such as the partitioner, the cost model or the adaptation; null for nothing.</summary>
    public Func<CoordinatorOptions, CoordinatorOptions>? Customize { get; set; }

    /// <summary>Deploys a model at the start.</summary>
    /// <param name="model">The path of a model file, or the name of a model in the repository.</param>
    /// <param name="name">The name under which it is served; null for the file's name without extension.</param>
    public void AddModel(string model, string? name = null) => Models.Add(new ModelHostOptions { Model = model, Name = name });
}

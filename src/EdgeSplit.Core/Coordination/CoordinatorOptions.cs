using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Compression;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeSplit.Coordination;

/// <summary>How a <see cref="Coordinator"/> plans and serves.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>The coordinator's id among the devices of plans, fleets and links.</summary>
    /// <value>Default: <c>coordinator</c>.</value>
    public string Id { get; init => field = AgentId.Checked(value); } = "coordinator";

    /// <summary>Decides which device runs which layer.</summary>
    /// <value>Default: <see cref="AutoPartitioner"/>.</value>
    public IPartitioner Partitioner { get; init; } = new AutoPartitioner();

    /// <summary>What the partitioner minimises.</summary>
    /// <value>Default: <see cref="WeightedCostModel"/>, all weights 1.</value>
    public ICostModel CostModel { get; init; } = new WeightedCostModel();

    /// <summary>What every plan must satisfy, where a deployment states nothing else.</summary>
    public PlanConstraints Constraints { get; init; } = new();

    /// <summary>Keeps base models, partitions and weights; agents fetch weights from here.</summary>
    /// <value>Default: null, to keep nothing and let agents fetch weights from the model file.</value>
    public IModelRepository? Repository { get; init; }

    /// <summary>
    /// Links that are stated rather than measured, by the ids of sender and receiver. Others are measured: to and from the coordinator when the
    /// agent is added, between agents that reach each other before they are planned for. What other agents exchange goes through the
    /// coordinator, over both of their links.
    /// </summary>
    public IReadOnlyDictionary<(string From, string To), Link> Links { get; init; } = new Dictionary<(string From, string To), Link>();

    /// <summary>Lets links carry activations compressed; plans know what that costs and gains.</summary>
    /// <value>Default: null, to compress nothing.</value>
    public CompressionOptions? Compression { get; init; }

    /// <summary>Lets the coordinator run layers itself, those that fit nowhere else among them.</summary>
    /// <value>Default: null, for a coordinator that only coordinates.</value>
    public IPartitionRuntime? Runtime { get; init; }

    /// <summary>The coordinator's own device, where <see cref="Runtime"/> is set.</summary>
    /// <value>Default: null, to let the runtime measure it.</value>
    public Device? Device { get; init; }

    /// <summary>Requests that are worked on at the same time, over all deployments; further ones wait for their turn.</summary>
    /// <value>Default: 32.</value>
    public int MaxInFlightRequests
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A coordinator works on at least one request at a time.");
    } = 32;

    /// <summary>
    /// Requests that wait for their turn; further ones fail with <see cref="EdgeSplitError.Overloaded"/>, or the newest of the
    /// <see cref="RequestOptions.Client"/> that has most of them.
    /// </summary>
    /// <value>Default: 1024.</value>
    public int MaxQueuedRequests
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A queue's length is 0 or more.");
    } = 1024;

    /// <summary>
    /// Requests that each stage has under way, for each that its agent runs at a time: one that computes, and others whose tensors
    /// travel or have arrived. Fewer leave the agent idle while tensors travel; more only wait there. The windows of all stages
    /// together also bound how many requests are worked on.
    /// </summary>
    /// <value>Default: 3.</value>
    public int StageWindow
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A stage has at least one request under way.");
    } = 3;

    /// <summary>Joins small requests that come at about the same time, for models where that is possible.</summary>
    /// <value>Default: null, for each request to run by itself.</value>
    public BatchingOptions? Batching { get; init; }

    /// <summary>How agents are watched.</summary>
    public MembershipOptions Membership { get; init; } = new();

    /// <summary>When to look for other plans while models are served; null never to, but when an agent is lost.</summary>
    /// <remarks>A deployment that was given its plan keeps it as long as its agents are there.</remarks>
    public AdaptationOptions? Adaptation { get; init; } = new();

    /// <summary>
    /// Whether agents that reach each other hand tensors on directly; where they do not, and for agents that joined on their own
    /// or run in this process, the coordinator passes them on.
    /// </summary>
    /// <value>Default: true.</value>
    public bool ForwardsDirectly { get; init; } = true;

    /// <summary>
    /// How long a request waits, at most, for agents to come when those that are there cannot run its model any more. The caller's
    /// cancellation ends the wait too.
    /// </summary>
    /// <value>Default: 30 seconds.</value>
    public TimeSpan CapacityTimeout
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time to wait is 0 or more.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long requests that run have to end when their deployment, or the coordinator, is disposed of. Those that have not are
    /// ended and fail with <see cref="EdgeSplitError.AgentUnavailable"/>.
    /// </summary>
    /// <value>Default: 30 seconds; <see cref="Timeout.InfiniteTimeSpan"/> to wait for as long as they take.</value>
    public TimeSpan DrainTimeout
    {
        get;
        init => field = value >= TimeSpan.Zero || value == Timeout.InfiniteTimeSpan ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A time to wait is 0 or more, or infinite.");
    } = TimeSpan.FromSeconds(30);

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Makes the loggers.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;
}

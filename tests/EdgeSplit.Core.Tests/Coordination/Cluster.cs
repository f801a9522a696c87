using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Devices;
using EdgeSplit.Storage;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

/// <summary>A coordinator with agents of fake runtimes, whose every tensor is counted.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IBlobStore _blobs;

    private Cluster(FakeModelFormat format, CoordinatorOptions options)
    {
        Format = format;
        Coordinator = new Coordinator(format, options);
        _blobs = new FolderBlobStore(_folder.Path);
    }

    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(30);

    /// <summary>What else this machine does changes no plan.</summary>
    public static CoordinatorOptions Defaults { get; } = new()
    {
        Partitioner = FixedPartitioner.RoundRobin,
        CostModel = new FreeCostModel(),
        CapacityTimeout = TimeSpan.Zero,
        Adaptation = new AdaptationOptions { OtherLoadChange = 1, Standby = null },
    };

    public FakeModelFormat Format { get; }

    public Coordinator Coordinator { get; }

    public TensorLedger Ledger { get; } = new();

    public Dictionary<string, FakePartitionRuntime> Runtimes { get; } = [];

    public Dictionary<string, FlakyAgent> Agents { get; } = [];

    public static async Task<Cluster> CreateAsync(FakeModel model, int agents = 3, CoordinatorOptions? options = null)
    {
        var cluster = new Cluster(new FakeModelFormat(model), options ?? Defaults);
        for (int i = 0; i < agents; i++)
            await cluster.AddAsync(((char)('a' + i)).ToString());
        return cluster;
    }

    /// <summary>Adds an agent, over a link with a round trip for each number of bytes; nothing takes any time where null.</summary>
    public async Task AddAsync(string id, EdgeAgentOptions? options = null, Func<int, TimeSpan>? roundTrip = null)
    {
        FakePartitionRuntime runtime = Runtimes[id] = new FakePartitionRuntime { Ledger = Ledger };
        options ??= new EdgeAgentOptions { Device = new Device { Id = id } };
        FlakyAgent agent = Agents[id] = new FlakyAgent(new EdgeAgent(id, runtime, options with { BlobStore = _blobs }));
        agent.RoundTrip = roundTrip ?? agent.RoundTrip;
        await Coordinator.AddAgentAsync(agent);
    }

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        _folder.Dispose();
        Assert.That(Ledger.Outstanding, Is.Zero, "Tensors leak.");
        Assert.That(Format.OpenModels, Is.Zero, "A model is left open.");
        Assert.That(Runtimes.Values.Sum(static runtime => runtime.LiveExecutors), Is.Zero, "Executors are left.");
    }
}

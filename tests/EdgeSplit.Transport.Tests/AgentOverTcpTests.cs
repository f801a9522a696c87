using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Storage;
using EdgeSplit.Tensors;

namespace EdgeSplit.Transport.Tests;

[CancelAfter(30_000)]
public sealed class AgentOverTcpTests
{
    private readonly FakeAgent _agent = new("agent-1");
    private AgentServer _server = null!;

    [SetUp]
    public async Task StartServer()
    {
        _server = new AgentServer(_agent);
        await _server.StartAsync();
    }

    [TearDown]
    public async Task StopServer() => await _server.DisposeAsync();

    [Test]
    public async Task ConnectAsync_handshake_gives_the_agents_id(CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);

        Assert.That(remote.Id, Is.EqualTo("agent-1"));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4096)]
    [TestCase(1_000_003)]
    public async Task ExecuteAsync_several_tensors_come_back_as_they_were(int byteCount, CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);
        byte[] bytes = new byte[byteCount];
        new Random(byteCount).NextBytes(bytes);
        var inputs = new Dictionary<string, Tensor>
        {
            ["bytes"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(1, byteCount), bytes),
            ["empty"] = Tensor.Wrap(TensorElementType.Float, new TensorShape(0, 7), default),
            ["scalar"] = Tensor.Create<double>([1.5], new TensorShape()),
            ["texts"] = Tensor.FromStrings(["", "zwölf", "\0", new string('x', 300)], new TensorShape(2, 2)),
        };

        using PartialResult result = await remote.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), "p", inputs), cancellationToken);

        Assert.That(result.Outputs.Keys, Is.EquivalentTo(inputs.Keys));
        Assert.That(result.Outputs["bytes"].Bytes.Span.SequenceEqual(bytes));
        Assert.That(result.Outputs["bytes"].Shape, Is.EqualTo(new TensorShape(1, byteCount)));
        Assert.That(result.Outputs["empty"].Shape, Is.EqualTo(new TensorShape(0, 7)));
        Assert.That(result.Outputs["scalar"].AsSpan<double>()[0], Is.EqualTo(1.5));
        Assert.That(result.Outputs["texts"].Strings, Is.EqualTo(inputs["texts"].Strings));
        Assert.That(result.ComputeTime, Is.EqualTo(TimeSpan.FromMilliseconds(3)));
    }

    [Test]
    public async Task ExecuteAsync_many_at_a_time_each_gets_its_own_answer(CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var input = Tensor.Create<int>(Enumerable.Repeat(i, (i * 517) + 1).ToArray(), new TensorShape((i * 517) + 1));
            using PartialResult result = await remote.ExecuteAsync(
                new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = input }), cancellationToken);
            Assert.That(result.Outputs["x"].Bytes.Span.SequenceEqual(input.Bytes.Span), $"answer {i}");
        }));
    }

    [Test]
    public async Task LoadAsync_blobs_are_pulled_and_unloaded_when_the_connection_ends(CancellationToken cancellationToken)
    {
        byte[] large = new byte[3_500_000];
        new Random(1).NextBytes(large);
        byte[][] contents = [large, [], [42]];
        var partition = new ModelPartition
        {
            Skeleton = new byte[] { 1, 2, 3 },
            Blobs = [.. contents.Select(content => new BlobReference(ContentHash.Of(content), content.Length))],
            Inputs = [new TensorInfo("x", TensorElementType.Float, [new Dimension(null, "batch"), new Dimension(3)])],
            Outputs = [new TensorInfo("y", TensorElementType.Undefined, default(ImmutableArray<Dimension>))],
        };
        RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);

        PartitionLoaded loaded = await remote.LoadAsync(new ModelPartitionRequest("model", partition), new Blobs(contents), cancellationToken);

        Assert.That(loaded.ReceivedBytes, Is.EqualTo(contents.Sum(content => content.Length)));
        Assert.That(_agent.Loaded[partition.Id], Is.EqualTo(1));
        Assert.That(_agent.Blobs[ContentHash.Of(large)].AsSpan().SequenceEqual(large));
        await remote.DisposeAsync();
        Assert.That(_agent.Loaded[partition.Id], Is.Zero);
    }

    [Test]
    public async Task ExecuteAsync_agent_throws_code_and_message_arrive(CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);
        _agent.OnExecute = static (_, _) => throw new EdgeSplitException(EdgeSplitError.NotFound, "Partition 'p' is not loaded.");

        EdgeSplitException? exception = await Assert.ThrowsAsync<EdgeSplitException>(
            async () => await remote.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor>()), cancellationToken));

        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.NotFound));
        Assert.That(exception.Message, Is.EqualTo("Partition 'p' is not loaded."));
    }

    [Test]
    public async Task ProbeAsync_takes_time(CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);

        Assert.That(await remote.ProbeAsync(100_000, cancellationToken), Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public async Task ExecuteAsync_cancelled_stops_the_agent_and_leaves_the_connection_usable(CancellationToken cancellationToken)
    {
        await using RemoteEdgeAgent remote = await ConnectAsync(cancellationToken);
        var started = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        _agent.OnExecute = async (_, token) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, token).ContinueWith(_ => stopped.SetResult(), TaskScheduler.Default);
            throw new OperationCanceledException(token);
        };
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task call = remote.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), "p", new Dictionary<string, Tensor>()), cancellation.Token).AsTask();
        await started.Task;

        await cancellation.CancelAsync();

        await Assert.ThatAsync(async () => await call, Throws.InstanceOf<OperationCanceledException>());
        await stopped.Task.WaitAsync(cancellationToken);
        Assert.That((await remote.DescribeAsync(cancellationToken)).Runtime, Is.EqualTo("fake 1"));
    }

    private ValueTask<RemoteEdgeAgent> ConnectAsync(CancellationToken cancellationToken) =>
        RemoteEdgeAgent.ConnectAsync(_server.EndPoint, null, cancellationToken);

    private sealed class Blobs(byte[][] contents) : IBlobSource
    {
        public ValueTask<Stream> OpenBlobAsync(ContentHash hash, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(new MemoryStream(contents.Single(content => ContentHash.Of(content) == hash)));
    }
}

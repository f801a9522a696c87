using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;

namespace EdgeSplit.Tests.Coordination;

/// <summary>Everything at once: agents are lost, added and removed, plans switched, requests cancelled, other models deployed.</summary>
public sealed class ChaosTests
{
    private const int Operations = 40;
    private const int Clients = 6;

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public async Task Infer_through_chaos_gives_every_caller_one_right_result(int seed)
    {
        FakeModel model = new FakeModelBuilder("chaos")
            .Input("x", 16).Mix("stem", ["x"], "a", "b").Mix("left", ["a"], "c").Mix("right", ["b", "x"], "d")
            .Mix("leftmost", ["c", "a"], "e").Mix("join", ["e", "d"], "f").Mix("head", ["f", "b"], "y").Output("y", "c").Build();
        var random = new Random(seed);
        var anywhere = new FixedPartitioner(problem => problem.Graph.Layers.Select(_ =>
        {
            lock (random)
                return problem.Fleet.Devices[random.Next(problem.Fleet.Devices.Length)].Id;
        }));
        await using Cluster cluster = await Cluster.CreateAsync(model, agents: 3, options: Cluster.Defaults with { Partitioner = anywhere, MaxInFlightRequests = 4 });
        Deployment deployment = await cluster.Coordinator.DeployAsync("chaos");
        using var stop = new CancellationTokenSource();
        int served = 0;
        Task[] clients = [.. Enumerable.Range(0, Clients).Select(client => Task.Run(() => ServeAsync(client)))];

        var usable = new List<string> { "a", "b", "c" };
        int added = 0;
        for (int operation = 0; operation < Operations; operation++)
        {
            int before = Volatile.Read(ref served);
            while (Volatile.Read(ref served) < before + 5 && !clients.Any(static client => client.IsFaulted))
                await Task.Yield();
            int kind;
            string victim;
            lock (random)
            {
                kind = random.Next(6);
                victim = usable[random.Next(usable.Count)];
            }
            if (usable.Count == 1 || kind < 2)
            {
                usable.Add($"new{added}");
                await cluster.AddAsync($"new{added++}");
            }
            else if (kind == 2)
            {
                usable.Remove(victim);
                cluster.Agents[victim].Cut();
            }
            else if (kind == 3)
            {
                usable.Remove(victim);
                await cluster.Coordinator.RemoveAgentAsync(victim).AsTask().WaitAsync(Cluster.Limit);
            }
            else if (kind == 4)
            {
                await deployment.RepartitionAsync().AsTask().WaitAsync(Cluster.Limit);
            }
            else
            {
                await using Deployment other = await cluster.Coordinator.DeployAsync("chaos");
                (await other.InferAsync(model.RandomInputs(operation))).Dispose();
            }
        }
        await stop.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(Cluster.Limit);

        async Task ServeAsync(int client)
        {
            var own = new Random(seed * 100 + client);
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                IReadOnlyDictionary<string, Tensor> inputs = model.RandomInputs(client * 10_000 + i);
                using var cancellation = new CancellationTokenSource();
                ValueTask<FinalResult> request = deployment.InferAsync(inputs, cancellation.Token);
                if (own.Next(4) == 0)
                    await cancellation.CancelAsync();
                try
                {
                    using FinalResult result = await request;
                    TensorAssert.AreIdentical(result.Outputs, model.Run(inputs));
                }
                catch (OperationCanceledException)
                {
                    Assert.That(cancellation.IsCancellationRequested);
                }
                Interlocked.Increment(ref served);
            }
        }
    }
}

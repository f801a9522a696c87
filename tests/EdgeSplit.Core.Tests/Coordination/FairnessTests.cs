using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination;

/// <summary>In virtual time: what one client gets while another floods, and how much waits on agents.</summary>
public sealed class FairnessTests
{
    private static readonly FakeModel Model = FakeModelBuilder.Chain("m", 2);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Long = TimeSpan.FromMilliseconds(10);

    [Test]
    public async Task Client_beside_one_that_floods_waits_only_for_what_is_under_way()
    {
        var time = new FakeTimeProvider();
        await using var coordinator = new Coordinator(new FakeModelFormat(Model), Cluster.Defaults with { TimeProvider = time, Adaptation = null });
        TimedAgent[] agents = [new("a", Short, time), new("b", Long, time)];
        foreach (TimedAgent agent in agents)
            await coordinator.AddAgentAsync(agent);
        Deployment deployment = await coordinator.DeployAsync("m");
        IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(0);

        Task[] flood = [.. Enumerable.Range(0, 60).Select(async _ => (await deployment.InferAsync(inputs, new RequestOptions { Client = "flood" })).Dispose())];
        int Served() => flood.Count(static request => request.IsCompleted);
        var servedBefore = new List<int>();
        Task calm = Task.Run(async () =>
        {
            for (int i = 0; i < 5; i++)
            {
                int before = Served();
                using FinalResult result = await deployment.InferAsync(inputs, new RequestOptions { Client = "calm" });
                servedBefore.Add(Served() - before);
            }
        });
        await PassTimeAsync(time, agents, calm);

        // A coordinator whose requests wait for time to pass could not be disposed of.
        await PassTimeAsync(time, agents, Task.WhenAll(flood));

        // Two stages of 3 places each: as many go before it, one of the other client whose turn it is, and what is served until it is noticed.
        Assert.That(servedBefore, Has.All.LessThanOrEqualTo(20));
    }

    [TestCase(1)]
    [TestCase(3)]
    public async Task Stage_has_no_more_under_way_than_its_window(int window)
    {
        var time = new FakeTimeProvider();
        await using var coordinator = new Coordinator(new FakeModelFormat(Model), Cluster.Defaults with { TimeProvider = time, StageWindow = window, Adaptation = null });
        TimedAgent[] agents = [new("a", Short, time), new("b", Long, time)];
        foreach (TimedAgent agent in agents)
            await coordinator.AddAgentAsync(agent);
        Deployment deployment = await coordinator.DeployAsync("m");
        IReadOnlyDictionary<string, Tensor> inputs = Model.RandomInputs(0);
        long started = time.GetTimestamp();

        Task[] requests = [.. Enumerable.Range(0, 20).Select(async _ => (await deployment.InferAsync(inputs)).Dispose())];
        await PassTimeAsync(time, agents, Task.WhenAll(requests));

        // What the slow stage has no place for waits in the coordinator, and the slow stage is never idle for it.
        Assert.That(agents.Select(static agent => agent.MostUnderWay), Has.All.LessThanOrEqualTo(window));
        Assert.That(time.GetElapsedTime(started), Is.LessThanOrEqualTo((20 * Long) + (20 * Short)));
    }

    /// <summary>Lets time pass millisecond by millisecond, whenever an agent has nothing left but to wait for it.</summary>
    private static async Task PassTimeAsync(FakeTimeProvider time, TimedAgent[] agents, Task until)
    {
        using var limit = new CancellationTokenSource(Cluster.Limit);
        while (!until.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            if (agents.Any(static agent => agent.Running > 0))
                time.Advance(Short);
            // Whoever was woken gets to run.
            await Task.Delay(1, CancellationToken.None).ConfigureAwait(false);
        }
        await until;
    }
}

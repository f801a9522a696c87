using EdgeSplit.Transport.Testing;

namespace EdgeSplit.Transport.Tests.Faults;

/// <summary>Frames of different streams may arrive in any order.</summary>
[CancelAfter(60_000)]
public sealed class ReorderingTests
{
    [Test]
    public async Task ExecuteAsync_many_at_a_time_reordered_each_get_their_own_answer([Range(1, 6)] int seed, CancellationToken cancellationToken)
    {
        await using LocalLink link = await LocalLink.StartAsync(
            serverTransport: inner => new FaultInjectingTransport(inner, new ConnectionFaults { ReorderSeed = seed }),
            transport: inner => new FaultInjectingTransport(inner, new ConnectionFaults { ReorderSeed = seed + 100 }));

        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => link.EchoAsync((i * 7919 % 300_000) + 1, cancellationToken)));

        await link.NothingIsLeftAsync(cancellationToken);
    }

    [Test]
    public async Task Reordering_changes_the_order_in_which_requests_begin(CancellationToken cancellationToken)
    {
        bool isReordered = false;
        for (int seed = 1; seed < 50 && !isReordered; seed++)
        {
            await using LocalLink link = await LocalLink.StartAsync(
                serverTransport: inner => new FaultInjectingTransport(inner, new ConnectionFaults { ReorderSeed = seed }));
            var begun = new List<int>();
            link.Agent.OnExecute = (request, _) =>
            {
                lock (begun)
                    begun.Add(request.Inputs["x"].Bytes.Length);
                return ValueTask.FromResult(FakeAgent.Echo(request));
            };
            await Task.WhenAll(Enumerable.Range(1, 40).Select(i => link.EchoAsync(i, cancellationToken)));
            isReordered = !begun.SequenceEqual(begun.Order());
        }
        Assert.That(isReordered);
    }
}

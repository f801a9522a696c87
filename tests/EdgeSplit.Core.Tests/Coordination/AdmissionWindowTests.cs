using EdgeSplit.Coordination.Internal;
using EdgeSplit.Testing.Conformance;

namespace EdgeSplit.Tests.Coordination;

public sealed class AdmissionWindowTests
{
    private readonly List<string> _entered = [];

    [Test]
    public async Task Enter_of_two_clients_takes_turns_however_many_one_has_waiting()
    {
        var window = new AdmissionWindow(1, 100);
        await window.EnterAsync("first", default);
        Task[] waiting = [.. Enumerable.Range(0, 20).Select(_ => WaitAsync(window, "flood")), .. Enumerable.Range(0, 3).Select(_ => WaitAsync(window, "other"))];

        window.Leave("first");
        await Task.WhenAll(waiting).WaitAsync(Cluster.Limit);

        Assert.That(_entered.Take(6), Is.EqualTo(new[] { "flood", "other", "flood", "other", "flood", "other" }));
        Assert.That(_entered, Has.Count.EqualTo(23));
        Assert.That(window.InFlight, Is.Zero);
    }

    [Test]
    public async Task Enter_into_a_full_queue_turns_away_the_newest_of_whoever_has_most()
    {
        var window = new AdmissionWindow(1, 3);
        await window.EnterAsync("first", default);
        Task[] flood = [.. Enumerable.Range(0, 3).Select(_ => WaitAsync(window, "flood"))];
        await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => WaitAsync(window, "flood"));

        Task other = WaitAsync(window, "other");

        await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => flood[2]);
        // One more of the other would leave the first client no more than the other.
        await ErrorAssert.FailsWithAsync(EdgeSplitError.Overloaded, () => WaitAsync(window, "other"));
        window.Leave("first");
        await Task.WhenAll(flood[0], flood[1], other).WaitAsync(Cluster.Limit);
    }

    [Test]
    public async Task Enter_of_a_client_that_gives_up_is_newest_first_and_others_are_not()
    {
        var window = new AdmissionWindow(1, 100);
        await window.EnterAsync("first", default);
        using var giveUp = new CancellationTokenSource();
        Task given = WaitAsync(window, "hasty", "hasty 0", giveUp.Token);
        Task[] waiting =
        [
            .. Enumerable.Range(1, 2).Select(i => WaitAsync(window, "hasty", $"hasty {i}")),
            .. Enumerable.Range(0, 2).Select(i => WaitAsync(window, "patient", $"patient {i}")),
        ];

        await giveUp.CancelAsync();
        window.Leave("first");

        await Task.WhenAll(waiting).WaitAsync(Cluster.Limit);
        await Assert.CatchAsync<OperationCanceledException>(() => given.WaitAsync(Cluster.Limit));
        Assert.That(_entered, Is.EqualTo(new[] { "hasty 2", "patient 0", "hasty 1", "patient 1" }));
    }

    [Test]
    public async Task Limit_raised_lets_those_in_that_wait()
    {
        var window = new AdmissionWindow(10, 100);
        window.Limit(1);
        await window.EnterAsync("a", default);
        ValueTask waiting = window.EnterAsync("a", default);
        Assert.That((window.InFlight, window.Queued), Is.EqualTo((1, 1)));

        window.Limit(2);

        await waiting.AsTask().WaitAsync(Cluster.Limit);
        Assert.That((window.InFlight, window.Queued, window.Entered), Is.EqualTo((2, 0, 2L)));
    }

    /// <summary>Waits for its turn, notes it, and lets the next in.</summary>
    private async Task WaitAsync(AdmissionWindow window, string client, string? name = null, CancellationToken cancellationToken = default)
    {
        await window.EnterAsync(client, cancellationToken);
        _entered.Add(name ?? client);
        window.Leave(client);
    }
}

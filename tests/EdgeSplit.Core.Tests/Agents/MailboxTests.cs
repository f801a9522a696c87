using EdgeSplit.Agents;
using EdgeSplit.Agents.Internal;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Conformance;
using EdgeSplit.Testing.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Agents;

public sealed class MailboxTests
{
    private readonly TensorLedger _ledger = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Guid _request = Guid.NewGuid();

    [Test]
    public async Task Take_gives_what_came_before_and_after_it()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        mailbox.Add(Delivery(_request, "x"));
        Task<Dictionary<string, Tensor>> taken = mailbox.TakeAsync(_request, "p", ["x", "y"], default).AsTask();
        Assert.That(taken.IsCompleted, Is.False);
        mailbox.Add(Delivery(_request, "y"));
        Dictionary<string, Tensor> tensors = await taken;
        Assert.That(tensors.Keys, Is.EquivalentTo(new[] { "x", "y" }));
        Dispose(tensors);
    }

    [Test]
    public void Take_that_is_cancelled_disposes_of_what_came()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        using var cancelled = new CancellationTokenSource();
        Task<Dictionary<string, Tensor>> taken = mailbox.TakeAsync(_request, "p", ["x", "y"], cancelled.Token).AsTask();
        mailbox.Add(Delivery(_request, "x"));
        cancelled.Cancel();
        Assert.That(async () => await taken, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_ledger.Outstanding, Is.Zero);
    }

    [Test]
    public void Add_beyond_the_limit_is_refused_until_what_nobody_claims_has_expired()
    {
        var mailbox = new Mailbox("a", 300, _time);
        mailbox.Add(Delivery(_request, "x"));
        ActivationDelivery second = Delivery(Guid.NewGuid(), "x");
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() => mailbox.Add(second));
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.ResourceExhausted));
        _time.Advance(TimeSpan.FromMinutes(1));
        mailbox.Add(second);
        Assert.That(_ledger.Outstanding, Is.EqualTo(1));
        mailbox.Close();
        Assert.That(_ledger.Outstanding, Is.Zero);
    }

    [Test]
    public void Add_of_very_many_without_elements_is_bounded_too()
    {
        var mailbox = new Mailbox("a", 10_000, _time);
        int taken = 0;
        EdgeSplitException? exception = Assert.Throws<EdgeSplitException>(() =>
        {
            for (; taken < 1000; taken++)
                mailbox.Add(new ActivationDelivery(Guid.NewGuid(), "p", new Dictionary<string, Tensor> { ["x"] = Tensor.Wrap(TensorElementType.UInt8, new TensorShape(0), default) }));
        });
        Assert.That(exception!.Error, Is.EqualTo(EdgeSplitError.ResourceExhausted));
        Assert.That(taken, Is.LessThan(40));
        Assert.That(() => mailbox.Add(new ActivationDelivery(Guid.NewGuid(), "p", new Dictionary<string, Tensor>())), Throws.InstanceOf<EdgeSplitException>().With.Property("Error").EqualTo(EdgeSplitError.InvalidInput));
    }

    [Test]
    public void Unclaimed_expires_though_nothing_else_comes()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        mailbox.Add(Delivery(_request, "x"));
        _time.Advance(TimeSpan.FromSeconds(20));
        mailbox.Add(Delivery(Guid.NewGuid(), "x"));
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.That(_ledger.Outstanding, Is.EqualTo(1));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(_ledger.Outstanding, Is.Zero);
    }

    [Test]
    public void What_comes_for_a_run_that_was_given_up_is_dropped_at_once()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        using var cancelled = new CancellationTokenSource();
        Task<Dictionary<string, Tensor>> taken = mailbox.TakeAsync(_request, "p", ["x"], cancelled.Token).AsTask();
        cancelled.Cancel();
        Assert.That(async () => await taken, Throws.InstanceOf<OperationCanceledException>());
        for (int i = 0; i < 10; i++)
            mailbox.Add(Delivery(_request, "x"));
        Assert.That(_ledger.Outstanding, Is.Zero);
    }

    [Test]
    public async Task What_a_run_does_not_wait_for_does_not_reach_it()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        mailbox.Add(Delivery(_request, "other"));
        Task<Dictionary<string, Tensor>> taken = mailbox.TakeAsync(_request, "p", ["x"], default).AsTask();
        Assert.That(_ledger.Outstanding, Is.Zero);
        ActivationDelivery another = Delivery(_request, "another");
        Assert.That(() => mailbox.Add(another), Throws.InstanceOf<EdgeSplitException>().With.Property("Error").EqualTo(EdgeSplitError.InvalidInput));
        Dispose(another.Tensors);
        mailbox.Add(Delivery(_request, "x"));
        Dictionary<string, Tensor> tensors = await taken;
        Assert.That(tensors.Keys, Is.EquivalentTo(new[] { "x" }));
        Dispose(tensors);
    }

    [Test]
    public async Task Close_fails_those_that_wait()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        Task taken = mailbox.TakeAsync(_request, "p", ["x"], default).AsTask();
        mailbox.Close();
        await ErrorAssert.FailsWithAsync(EdgeSplitError.AgentUnavailable, () => taken);
    }

    [Test]
    public void Add_of_an_input_twice_is_refused()
    {
        var mailbox = new Mailbox("a", 1000, _time);
        mailbox.Add(Delivery(_request, "x"));
        ActivationDelivery again = Delivery(_request, "x");
        Assert.That(() => mailbox.Add(again), Throws.InstanceOf<EdgeSplitException>().With.Property("Error").EqualTo(EdgeSplitError.InvalidInput));
        Dispose(again.Tensors);
        mailbox.Close();
        Assert.That(_ledger.Outstanding, Is.Zero);
    }

    private ActivationDelivery Delivery(Guid request, string name) =>
        new(request, "p", new Dictionary<string, Tensor> { [name] = _ledger.Allocate(TensorElementType.Float, new TensorShape(3), out _) });

    private static void Dispose(IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }
}

using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class DecisionLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DecisionLog _log = new(3);

    [Test]
    public void Add_same_decision_but_for_its_figures_is_counted()
    {
        Add("A gain of 3.2% is below the least of 10.0%.");
        _time.Advance(TimeSpan.FromSeconds(5));
        RepartitionDecision second = Add("A gain of -1.5% is below the least of 10.0%.");
        Assert.That(second.Repetitions, Is.EqualTo(2));
        Assert.That(_log.Decisions, Is.EqualTo(new[] { second }));
        Assert.That(_log.Decisions[0].Time, Is.EqualTo(_time.GetUtcNow()));
    }

    [Test]
    public void Add_other_decisions_stand_beside()
    {
        Add("It does not pay.");
        Add("It does not pay.", model: "another");
        Add("It does not pay.", RepartitionTrigger.LinkTime, "another");
        Assert.That(_log.Decisions.Select(static decision => decision.Repetitions), Is.EqualTo(new[] { 1, 1, 1 }));
    }

    [Test]
    public void Add_switches_are_never_taken_together()
    {
        Add("It pays.", isSwitched: true);
        Add("It pays.", isSwitched: true);
        Assert.That(_log.Decisions, Has.Length.EqualTo(2));
    }

    [Test]
    public void Add_more_than_are_kept_drops_the_oldest()
    {
        foreach (string reason in new[] { "a", "b", "c", "d" })
            Add(reason);
        Assert.That(_log.Decisions.Select(static decision => decision.Reason), Is.EqualTo(new[] { "b", "c", "d" }));
    }

    private RepartitionDecision Add(string reason, RepartitionTrigger trigger = RepartitionTrigger.StageTime, string model = "model", bool isSwitched = false) => _log.Add(new RepartitionDecision
    {
        Time = _time.GetUtcNow(),
        Model = model,
        Trigger = trigger,
        Cause = "Something.",
        Switched = isSwitched,
        Reason = reason,
        Epoch = 1,
    });
}

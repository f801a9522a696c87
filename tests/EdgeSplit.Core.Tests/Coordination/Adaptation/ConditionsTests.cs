using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Devices;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class ConditionsTests
{
    private readonly AgentEntry _one = AgentEntries.Create("one"), _two = AgentEntries.Create("two");
    private readonly Conditions _conditions;

    public ConditionsTests() => _conditions = new Conditions(1, [_one, _two]);

    [Test]
    public void FindChange_nothing_changed_finds_nothing() => Assert.That(Find(1, _one, _two), Is.Null);

    [Test]
    public void FindChange_agent_came()
    {
        (RepartitionTrigger Trigger, string Cause)? change = Find(2, _one, _two, AgentEntries.Create("three"));
        Assert.That(change?.Trigger, Is.EqualTo(RepartitionTrigger.AgentCame));
        Assert.That(change?.Cause, Is.EqualTo("Agent 'three' came."));
    }

    [Test]
    public void FindChange_many_agents_came_names_a_few()
    {
        AgentEntry[] many = [.. Enumerable.Range(0, 8).Select(number => AgentEntries.Create($"new-{number}"))];
        Assert.That(Find(2, [_one, _two, .. many])?.Cause, Does.EndWith("'new-4' and 3 more came."));
    }

    [Test]
    public void FindChange_agent_of_the_plan_must_be_left_out()
    {
        (_two.State, _two.Reason) = (AgentState.Draining, "someone asked");
        Assert.That(Find(2, _one), Is.EqualTo((RepartitionTrigger.AgentWent, "Plans must leave out agent 'two': someone asked.")));
    }

    [Test]
    public void FindChange_lost_agent_is_dealt_with_elsewhere()
    {
        _two.State = AgentState.Lost;
        Assert.That(Find(2, _one), Is.Null);
    }

    [Test]
    public void FindChange_agent_that_the_plan_does_not_use_went_finds_nothing()
    {
        _two.State = AgentState.Draining;
        Assert.That(_conditions.FindChange(2, [_one], static _ => false, new AdaptationOptions()), Is.Null);
    }

    [TestCase(0.2, false)]
    [TestCase(0.3, true)]
    public void FindChange_other_programs_take_more(double share, bool isChange)
    {
        _one.ReportOtherLoad(share);
        Assert.That(Find(1, _one, _two)?.Trigger, isChange ? Is.EqualTo(RepartitionTrigger.OtherLoad) : Is.Null);
    }

    [TestCase(10e6, 1, false)]
    [TestCase(7e6, 1, false)]
    [TestCase(14e6, 1, false)]
    [TestCase(6e6, 1, true)]
    [TestCase(16e6, 1, true)]
    [TestCase(10e6, 2, false)]
    [TestCase(10e6, 3, true)]
    public void FindChange_link_changed(double bytesPerSecond, double milliseconds, bool isChange)
    {
        _two.Revise(new Link { BytesPerSecond = bytesPerSecond, Latency = TimeSpan.FromMilliseconds(milliseconds) });
        Assert.That(Find(1, _one, _two)?.Trigger, isChange ? Is.EqualTo(RepartitionTrigger.LinkTime) : Is.Null);
    }

    private (RepartitionTrigger Trigger, string Cause)? Find(int version, params AgentEntry[] agents) =>
        _conditions.FindChange(version, [.. agents], static _ => true, new AdaptationOptions());
}

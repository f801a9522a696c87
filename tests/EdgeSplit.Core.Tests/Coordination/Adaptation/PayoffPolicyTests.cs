using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Partitioning;
using EdgeSplit.Testing.Planning;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class PayoffPolicyTests
{
    private static readonly PartitionProblem Problem = RandomProblems.Create(1, withConstraints: false);

    private static RepartitionProposal Proposal(double gain, double switchSeconds = 1, double sinceSeconds = 3600, int recentSwitches = 0)
    {
        PartitionPlan plan = new LocalSearchPartitioner().Partition(Problem, CancellationToken.None);
        return new RepartitionProposal
        {
            Trigger = RepartitionTrigger.StageTime,
            Current = new PlanEvaluator(Problem).Evaluate(plan.Assignment.AsSpan()),
            Candidate = plan,
            RelativeGain = gain,
            BytesToMove = 0,
            SwitchTime = TimeSpan.FromSeconds(switchSeconds),
            SinceLastSwitch = TimeSpan.FromSeconds(sinceSeconds),
            RecentSwitches = recentSwitches,
        };
    }

    [TestCase(0, 5)]
    [TestCase(1, 5)]
    [TestCase(2, 10)]
    [TestCase(4, 40)]
    [TestCase(50, 120)]
    public void Decide_waits_longer_the_more_often_plans_have_changed_of_late(int recentSwitches, double waitSeconds)
    {
        Assert.That(new PayoffPolicy().Decide(Proposal(0.1, 1, waitSeconds, recentSwitches)).Switch);
        RepartitionVerdict verdict = new PayoffPolicy().Decide(Proposal(0.1, 1, waitSeconds - 1, recentSwitches));
        Assert.That(verdict.Switch, Is.False);
        Assert.That(verdict.AskAgainAfter, Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [TestCase(0.3, 10, Description = "half of the doublings")]
    [TestCase(0.5, 5)]
    [TestCase(0.75, 2.5)]
    [TestCase(0.875, 1.25)]
    public void Decide_waits_less_the_more_is_gained(double gain, double waitSeconds)
    {
        Assert.That(new PayoffPolicy().Decide(Proposal(gain, 1, waitSeconds, recentSwitches: 3)).Switch);
        Assert.That(new PayoffPolicy().Decide(Proposal(gain, 1, waitSeconds - 1, recentSwitches: 3)).AskAgainAfter, Is.EqualTo(TimeSpan.FromSeconds(1)));
    }

    [TestCase(0.3, 1, 3600, true)]
    [TestCase(0.09, 1, 3600, false, Description = "below the least gain")]
    [TestCase(0.3, 37, 3600, false, Description = "0.3 of two minutes are 36 s")]
    [TestCase(0.3, 1, 4, false, Description = "within the dwell time")]
    public void Decide_switches_when_the_gain_pays_for_the_switch(double gain, double switchSeconds, double sinceSeconds, bool expected)
    {
        RepartitionVerdict verdict = new PayoffPolicy().Decide(Proposal(gain, switchSeconds, sinceSeconds));
        Assert.That(verdict.Switch, Is.EqualTo(expected), verdict.Reason);
        Assert.That(verdict.Reason, Does.EndWith("."));
    }

    [Test]
    public void Decide_within_the_dwell_time_asks_again_when_it_is_over() =>
        Assert.That(new PayoffPolicy().Decide(Proposal(0.3, sinceSeconds: 4)).AskAgainAfter, Is.EqualTo(TimeSpan.FromSeconds(1)));

    [Test]
    public void Decide_replaces_a_plan_that_breaks_a_constraint_whatever_the_gain()
    {
        RepartitionProposal proposal = Proposal(0, sinceSeconds: 0);
        var violation = new PlanViolation(PlanViolationKind.Memory, "Device 'a' lacks memory.");
        Assert.That(new PayoffPolicy().Decide(proposal with { Current = proposal.Current with { Violations = [violation] } }).Switch);
    }
}

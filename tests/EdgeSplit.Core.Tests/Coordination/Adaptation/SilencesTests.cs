using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Partitioning;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class SilencesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Silences _silences;

    public SilencesTests()
    {
        PartitionPlan plan = FreePlan.OfTwoStages;
        _silences = new Silences(plan with { Cost = plan.Cost with { LatencySeconds = 0.25 } }, _time);
    }

    [Test]
    public void Find_stage_that_owes_an_answer_for_twice_as_long_as_it_ever_took()
    {
        foreach (int milliseconds in new[] { 100, 200, 100, 100, 100, 100 })
            Answer(0, milliseconds);
        Begin(0);
        Assert.That(FindAfter(399), Is.Empty);
        Assert.That(FindAfter(1), Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void Find_tells_again_only_when_the_silence_has_doubled()
    {
        Learn(0, 100);
        Begin(0);
        Assert.That(FindAfter(250), Is.EqualTo(new[] { 0 }));
        Assert.That(FindAfter(249), Is.Empty);
        Assert.That(FindAfter(1), Is.EqualTo(new[] { 0 }));
        Answer(0, 0);
        Begin(0);
        Assert.That(FindAfter(999), Is.Empty, "The silence of half a second has become what is usual.");
        Assert.That(FindAfter(1), Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void Find_answers_of_others_break_a_silence()
    {
        Learn(0, 100);
        Begin(0);
        for (int i = 0; i < 20; i++)
        {
            Answer(0, 150);
            Assert.That(_silences.Find(), Is.Empty);
        }
    }

    [Test]
    public void Find_request_that_failed_is_no_answer()
    {
        Learn(0, 100);
        Begin(0);
        Begin(0);
        Assert.That(FindAfter(150), Is.Empty);
        _silences.End(0, isAnswered: false);
        Assert.That(FindAfter(50), Is.EqualTo(new[] { 0 }));
    }

    [Test]
    public void Find_stage_that_owes_nothing_may_be_silent()
    {
        Learn(0, 100);
        Assert.That(FindAfter(60_000), Is.Empty);
        Begin(1);
        _silences.End(1, isAnswered: false);
        Assert.That(FindAfter(60_000), Is.Empty);
        Begin(0);
        Assert.That(FindAfter(150), Is.Empty, "The time before it was asked does not count.");
    }

    [Test]
    public void Find_first_answers_may_take_three_times_what_the_plan_takes()
    {
        Begin(1);
        Assert.That(FindAfter(749), Is.Empty);
        Assert.That(FindAfter(1), Is.EqualTo(new[] { 1 }));
    }

    [Test]
    public void Find_a_tenth_of_a_second_is_no_silence_however_short_the_gaps()
    {
        Learn(0, 1);
        Begin(0);
        Assert.That(FindAfter(99), Is.Empty);
        Assert.That(FindAfter(1), Is.EqualTo(new[] { 0 }));
    }

    private void Learn(int stage, double milliseconds)
    {
        for (int i = 0; i < 16; i++)
            Answer(stage, milliseconds);
    }

    private void Answer(int stage, double milliseconds)
    {
        Begin(stage);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _silences.End(stage, isAnswered: true);
    }

    private void Begin(int stage) => _silences.Begin(stage, _time.GetTimestamp());

    private List<int> FindAfter(double milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        return _silences.Find();
    }
}

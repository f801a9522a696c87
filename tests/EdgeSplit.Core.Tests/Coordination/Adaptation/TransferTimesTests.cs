using EdgeSplit.Coordination.Adaptation.Internal;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class TransferTimesTests
{
    private const double Share = 0.25;
    private const double Negligible = 0.002;

    [TestCase(4, 0.060, true)]
    [TestCase(3, 0.060, false)]
    [TestCase(4, 0.045, false)]
    public void Change_first_few_are_enough_where_they_take_far_more_than_predicted(int count, double seconds, bool isChange)
    {
        var times = new TransferTimes();
        times.Predict(0.010);
        for (int i = 0; i < count; i++)
            times.Add(seconds);
        Assert.That(times.Change(Share, Negligible), Is.EqualTo(isChange ? ((double, double)?)(0.010, seconds) : null));
    }

    [Test]
    public void Change_of_the_first_few_one_that_is_as_predicted_shows_that_the_others_had_to_wait()
    {
        var times = new TransferTimes();
        times.Predict(0.010);
        foreach (double seconds in new[] { 0.2, 0.2, 0.011, 0.2 })
            times.Add(seconds);
        Assert.That(times.Change(Share, Negligible), Is.Null);
    }

    [Test]
    public void Accept_of_the_first_few_makes_them_what_is_expected()
    {
        var times = new TransferTimes();
        times.Predict(0.010);
        for (int i = 0; i < 4; i++)
            times.Add(0.1);
        times.Accept(Share, Negligible);
        for (int i = 0; i < 12; i++)
            times.Add(0.1);
        Assert.That(times.Change(Share, Negligible), Is.Null);
        for (int i = 0; i < 4; i++)
            times.Add(0.4);
        Assert.That(times.Change(Share, Negligible), Is.EqualTo((0.1, 0.4)));
    }
}

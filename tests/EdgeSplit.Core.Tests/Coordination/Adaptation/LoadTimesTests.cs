using EdgeSplit.Coordination.Internal;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class LoadTimesTests
{
    private const long Small = 1 << 20, Large = 100 << 20;
    private readonly LoadTimes _times = new();

    [Test]
    public void Predict_before_any_load_grows_with_the_weights() =>
        Assert.That(_times.Predict(Large), Is.GreaterThan(3 * _times.Predict(Small)));

    [Test]
    public void Predict_follows_the_slowest_of_the_last_loads_whatever_their_sizes()
    {
        TimeSpan typicalSmall = _times.Predict(Small), typicalLarge = _times.Predict(Large);
        _times.Add(Large, 6 * typicalLarge);
        _times.Add(Small, typicalSmall / 2);
        Assert.That(_times.Predict(Small) / typicalSmall, Is.EqualTo(6).Within(0.001));
        Assert.That(_times.Predict(Large) / typicalLarge, Is.EqualTo(6).Within(0.001));
        for (int load = 0; load < 3; load++)
            _times.Add(Small, typicalSmall / 2);
        Assert.That(_times.Predict(Large) / typicalLarge, Is.EqualTo(0.5).Within(0.001));
    }
}

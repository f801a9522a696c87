using EdgeSplit.Onnx.Runtime.Profiling;

namespace EdgeSplit.Onnx.Tests.Runtime.Profiling;

public sealed class ProfilingOverheadTests
{
    [Test]
    public void Remove_takes_the_same_off_each_node()
    {
        Dictionary<string, double> times = ProfilingOverhead.Remove(new Dictionary<string, double> { ["a"] = 10, ["b"] = 20, ["c"] = 30 }, seconds: 48);

        Assert.That(times["a"], Is.EqualTo(6).Within(1e-9));
        Assert.That(times["b"], Is.EqualTo(16).Within(1e-9));
        Assert.That(times["c"], Is.EqualTo(26).Within(1e-9));
    }

    [Test]
    public void Remove_leaves_short_nodes_a_share()
    {
        Dictionary<string, double> times = ProfilingOverhead.Remove(new Dictionary<string, double> { ["short"] = 4, ["long"] = 100 }, seconds: 62);

        Assert.That(times["short"], Is.EqualTo(2).Within(1e-9));
        Assert.That(times["long"], Is.EqualTo(60).Within(1e-9));
    }

    [Test]
    public void Remove_profile_that_is_too_short_already_stays()
    {
        var profiled = new Dictionary<string, double> { ["a"] = 1, ["b"] = 2 };

        Assert.That(ProfilingOverhead.Remove(profiled, seconds: 10), Is.EqualTo(profiled).Within(1e-9));
    }
}

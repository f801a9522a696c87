using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class LinkProberTests
{
    private const int ProbeBytes = 64 << 10;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);
    private readonly List<string> _probed = [];

    [Test]
    public void Tick_probes_as_often_as_the_budget_allows_each_link_in_turn()
    {
        AgentEntry one = Create("one", Steady), two = Create("two", Steady);
        var prober = new LinkProber(new AdaptationOptions { ProbeBytesPerSecond = ProbeBytes }, Interval);
        Tick(prober, 3, one, two);
        Assert.That(_probed, Is.Empty);
        Tick(prober, 1, one, two);
        Assert.That(_probed, Is.EqualTo(new[] { "one" }));
        Tick(prober, 36, one, two);
        Assert.That(_probed, Is.EqualTo(Enumerable.Range(0, 10).Select(static turn => turn % 2 == 0 ? "one" : "two")));
    }

    [Test]
    public void Tick_leaves_out_links_that_carry_tensors_and_those_that_are_none()
    {
        AgentEntry idle = Create("idle", Steady), used = Create("used", Steady), here = Create("here", Steady, Link.Local);
        var prober = new LinkProber(new AdaptationOptions(), Interval);
        for (int tick = 0; tick < 20; tick++)
            prober.Tick([idle, used, here], entry => entry == used, default);
        Assert.That(_probed, Is.Not.Empty.And.All.EqualTo("idle"));
    }

    [Test]
    public void Tick_link_that_dropped_to_a_tenth_is_revised()
    {
        AgentEntry entry = Create("one", static (bytes, _) => Time(bytes, 1e6));
        Tick(new LinkProber(new AdaptationOptions(), Interval), 1, entry);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(1e6).Within(2).Percent);
        Assert.That(entry.Link.Latency, Is.EqualTo(TimeSpan.FromMilliseconds(1)).Within(TimeSpan.FromMicroseconds(1)));
        Assert.That(entry.Link.Origin, Is.EqualTo(CostOrigin.Profiled));
    }

    [Test]
    public void Tick_one_slow_probe_is_an_accident()
    {
        AgentEntry entry = Create("one", static (bytes, probe) => probe == 0 ? TimeSpan.FromSeconds(1) : Steady(bytes, probe));
        Tick(new LinkProber(new AdaptationOptions(), Interval), 1, entry);
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Tick_probes_that_differ_by_less_than_twice_change_nothing()
    {
        var random = new Random(1);
        AgentEntry entry = Create("one", (bytes, probe) => Steady(bytes, probe) * (0.6 + random.NextDouble()));
        Tick(new LinkProber(new AdaptationOptions(), Interval), 400, entry);
        Assert.That(_probed, Has.Count.GreaterThan(100));
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Tick_agent_that_does_not_answer_is_left_to_the_watch()
    {
        AgentEntry entry = AgentEntries.Create("one", out FlakyAgent agent);
        agent.Cut();
        Assert.DoesNotThrow(() => Tick(new LinkProber(new AdaptationOptions(), Interval), 3, entry));
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    private static void Tick(LinkProber prober, int times, params AgentEntry[] agents)
    {
        for (int tick = 0; tick < times; tick++)
            prober.Tick([.. agents], static _ => false, default);
    }

    private AgentEntry Create(string id, Func<int, int, TimeSpan> roundTrip, Link? link = null)
    {
        AgentEntry entry = AgentEntries.Create(id, out FlakyAgent agent, link);
        int probes = 0;
        agent.RoundTrip = bytes =>
        {
            if (bytes == ProbeBytes)
                _probed.Add(id);
            return roundTrip(bytes, probes++);
        };
        return entry;
    }

    private static TimeSpan Steady(int bytes, int probe) => Time(bytes, AgentEntries.Usual.BytesPerSecond);

    private static TimeSpan Time(int bytes, double bytesPerSecond) => (2 * AgentEntries.Usual.Latency) + TimeSpan.FromSeconds(bytes / bytesPerSecond);
}

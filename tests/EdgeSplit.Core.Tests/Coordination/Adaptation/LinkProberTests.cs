using EdgeSplit.Coordination.Adaptation;
using EdgeSplit.Coordination.Adaptation.Internal;
using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class LinkProberTests
{
    private const int ProbeBytes = 64 << 10;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.25);
    private readonly List<string> _probed = [];
    private readonly FakeTimeProvider _time = new();
    private int _changes;

    [Test]
    public void Tick_probes_as_often_as_the_budget_allows_each_link_in_turn()
    {
        AgentEntry one = Create("one", Steady), two = Create("two", Steady);
        var prober = Create(ProbeBytes);
        Tick(prober, 3, one, two);
        Assert.That(_probed, Is.Empty);
        Tick(prober, 1, one, two);
        Assert.That(_probed, Is.EqualTo(new[] { "one" }));
        Tick(prober, 36, one, two);
        Assert.That(_probed, Is.EqualTo(Enumerable.Range(0, 10).Select(static turn => turn % 2 == 0 ? "one" : "two")));
    }

    [Test]
    public void Idle_leaves_out_links_that_carry_tensors_and_those_that_are_none()
    {
        AgentEntry idle = Create("idle", Steady), used = Create("used", Steady), here = Create("here", Steady, Link.Local);
        var prober = Create();
        for (int tick = 0; tick < 20; tick++)
            prober.Tick([.. LinkProber.Idle([idle, used, here], entry => entry == used, Revise)], default);
        Assert.That(_probed, Is.Not.Empty.And.All.EqualTo("idle"));
    }

    [Test]
    public void Tick_link_that_dropped_to_a_tenth_is_revised()
    {
        AgentEntry entry = Create("one", static (bytes, _) => Time(bytes, 1e6));
        Tick(Create(), 1, entry);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(1e6).Within(2).Percent);
        Assert.That(entry.Link.Latency, Is.EqualTo(TimeSpan.FromMilliseconds(1)).Within(TimeSpan.FromMicroseconds(1)));
        Assert.That(entry.Link.Origin, Is.EqualTo(CostOrigin.Profiled));
    }

    [Test]
    public void Tick_one_slow_probe_is_an_accident()
    {
        AgentEntry entry = Create("one", static (bytes, probe) => probe == 0 ? TimeSpan.FromSeconds(1) : Steady(bytes, probe));
        Tick(Create(), 1, entry);
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Tick_probes_that_differ_by_less_than_twice_change_nothing()
    {
        var random = new Random(1);
        AgentEntry entry = Create("one", (bytes, probe) => Steady(bytes, probe) * (0.6 + random.NextDouble()));
        Tick(Create(), 400, entry);
        Assert.That(_probed, Has.Count.GreaterThan(100));
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Tick_agent_that_does_not_answer_is_left_to_the_watch()
    {
        AgentEntry entry = AgentEntries.Create("one", out FlakyAgent agent);
        agent.Cut();
        Assert.DoesNotThrow(() => Tick(Create(), 3, entry));
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Suspect_link_whose_tensors_do_not_arrive_is_probed_whatever_the_budget_and_revised_where_it_is_slow()
    {
        AgentEntry slow = Create("slow", static (bytes, _) => Time(bytes, 0.2e6)), well = Create("well", Steady);
        var prober = Create(1);
        prober.Suspect([Silent(slow), Silent(well)], _ => _changes++, default);
        Assert.That(_probed, Is.EquivalentTo(new[] { "slow", "well" }));
        Assert.That(slow.Link.BytesPerSecond, Is.EqualTo(0.2e6).Within(2).Percent);
        Assert.That(well.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public void Suspect_link_whose_tensors_share_it_with_the_probe_is_not_slow_for_that()
    {
        AgentEntry entry = Create("one", static (bytes, _) => Time(bytes, AgentEntries.Usual.BytesPerSecond / 3));
        Create().Suspect([Silent(entry)], _ => _changes++, default);
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
    }

    [Test]
    public async Task Suspect_link_that_was_slow_for_a_moment_is_looked_at_again_although_tensors_use_it()
    {
        double bytesPerSecond = 0.2e6;
        AgentEntry entry = Create("one", (bytes, _) => Time(bytes, bytesPerSecond));
        Create().Suspect([Silent(entry)], _ => _changes++, default);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(0.2e6).Within(2).Percent);
        bytesPerSecond = AgentEntries.Usual.BytesPerSecond;
        await _time.PassUntilAsync(() => entry.Link.BytesPerSecond > 1e6);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(bytesPerSecond).Within(2).Percent);
        for (int i = 0; i < 10; i++)
            await _time.PassAsync();
        _probed.Clear();
        for (int i = 0; i < 10; i++)
            await _time.PassAsync();
        Assert.That(_probed, Is.Empty, "After a while it is a link like others.");
    }

    [Test]
    public void Suspect_link_is_probed_once_at_a_time()
    {
        AgentEntry entry = AgentEntries.Create("one", out FlakyAgent agent);
        int probes = 0;
        agent.Probing = async token =>
        {
            Interlocked.Increment(ref probes);
            await Task.Delay(Timeout.Infinite, token);
        };
        using var ends = new CancellationTokenSource();
        var prober = Create();
        for (int tick = 0; tick < 3; tick++)
            prober.Suspect([Silent(entry)], _ => _changes++, ends.Token);
        Assert.That(probes, Is.EqualTo(1));
        ends.Cancel();
    }

    [Test]
    public async Task Suspect_probe_that_does_not_arrive_tells_how_slow_its_link_is_at_most()
    {
        AgentEntry entry = AgentEntries.Create("one", out FlakyAgent agent);
        var arrived = new TaskCompletionSource();
        agent.Probing = _ => arrived.Task;
        agent.RoundTrip = static bytes => Time(bytes, 0.1e6);
        Create().Suspect([Silent(entry)], _ => _changes++, default);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.That(entry.Link, Is.EqualTo(AgentEntries.Usual));
        await _time.PassUntilAsync(() => _changes == 1);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(ProbeBytes / 0.25).Within(1).Percent);
        arrived.SetResult();
        await _time.PassUntilAsync(() => _changes == 2);
        Assert.That(entry.Link.BytesPerSecond, Is.EqualTo(0.1e6).Within(2).Percent);
    }

    private LinkProber Create(int bytesPerSecond = 256 << 10) => new(new AdaptationOptions { ProbeBytesPerSecond = bytesPerSecond }, Interval, _time);

    private static WatchedLink Silent(AgentEntry entry) => new WatchedLink.ToAgent(entry, Revise);

    private static void Revise(AgentEntry entry, Link link) => entry.Revise(link);

    private static void Tick(LinkProber prober, int times, params AgentEntry[] agents)
    {
        for (int tick = 0; tick < times; tick++)
            prober.Tick([.. LinkProber.Idle(agents, static _ => false, Revise)], default);
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

using EdgeSplit.Coordination.Internal;
using EdgeSplit.Devices;
using Microsoft.Extensions.Time.Testing;

namespace EdgeSplit.Tests.Coordination.Adaptation;

public sealed class LinkMeasurementTests
{
    private const int Bytes = 64 << 10;
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(0.05);

    [TestCase(0.1e6)]
    [TestCase(1e6)]
    [TestCase(12.5e6)]
    [TestCase(1e9)]
    public async Task Measure_gives_bandwidth_and_latency(double bytesPerSecond)
    {
        Link link = await LinkMeasurement.MeasureAsync(Probe(bytesPerSecond), default);
        Assert.That(link.BytesPerSecond, Is.EqualTo(bytesPerSecond).Within(1).Percent);
        Assert.That(link.Latency, Is.EqualTo(Latency));
    }

    [Test]
    public async Task Measure_where_nothing_takes_time_is_no_link() =>
        Assert.That(await LinkMeasurement.MeasureAsync(static (_, _) => new ValueTask<TimeSpan>(TimeSpan.Zero), default), Is.EqualTo(Link.Local));

    [Test]
    public async Task Measure_leaves_out_what_a_shaped_link_lets_through_in_a_burst([Values(16 << 10, 50 << 10)] int burst)
    {
        Link link = await LinkMeasurement.MeasureAsync(Probe(12.5e6, burst), default);
        Assert.That(link.BytesPerSecond, Is.EqualTo(12.5e6).Within(2).Percent);
    }

    [Test]
    public async Task Measure_and_Revise_take_no_waiting_for_a_processor_for_a_slow_link([Values(6, 20, 60)] double milliseconds)
    {
        // An empty probe is answered at once; with a payload there are buffers to fill, and each time the processor is others'.
        Func<int, CancellationToken, ValueTask<TimeSpan>> probe = Probe(1e9, waiting: TimeSpan.FromMilliseconds(milliseconds));
        Link measured = await LinkMeasurement.MeasureAsync(probe, default);
        Assert.That(measured.BytesPerSecond, Is.EqualTo(1e9).Within(1).Percent);
        Link revised = await LinkMeasurement.ReviseAsync(probe, Known(1e9), Bytes, (await probe(Bytes, default)).TotalSeconds, TimeProvider.System, default);
        Assert.That(revised.BytesPerSecond, Is.EqualTo(1e9).Within(1).Percent);
    }

    [TestCase(12.5e6, 1.25e6)]
    [TestCase(1e9, 10e6)]
    [TestCase(1e9, 0.1e6)]
    public async Task Revise_follows_a_drop(double before, double now)
    {
        Func<int, CancellationToken, ValueTask<TimeSpan>> probe = Probe(now);
        Link revised = await LinkMeasurement.ReviseAsync(probe, Known(before), Bytes, (await probe(Bytes, default)).TotalSeconds, TimeProvider.System, default);
        Assert.That(revised.BytesPerSecond, Is.EqualTo(now).Within(2).Percent);
    }

    [Test]
    public async Task Revise_follows_a_rise_but_takes_no_burst_for_one()
    {
        Func<int, CancellationToken, ValueTask<TimeSpan>> faster = Probe(50e6), bursting = Probe(12.5e6, 50 << 10);
        Link rise = await LinkMeasurement.ReviseAsync(faster, Known(12.5e6), Bytes, (await faster(Bytes, default)).TotalSeconds, TimeProvider.System, default);
        Assert.That(rise.BytesPerSecond, Is.EqualTo(50e6).Within(2).Percent);
        Link burst = await LinkMeasurement.ReviseAsync(bursting, Known(12.5e6), Bytes, (await bursting(Bytes, default)).TotalSeconds, TimeProvider.System, default);
        Assert.That(burst.BytesPerSecond, Is.EqualTo(12.5e6).Within(2).Percent);
    }

    [Test]
    public async Task Revise_takes_no_queue_of_a_choked_link_for_latency()
    {
        // Tensors fill the link: 80 ms of them are before each probe.
        Func<int, CancellationToken, ValueTask<TimeSpan>> probe = (bytes, _) => new ValueTask<TimeSpan>(Time(bytes, 1.25e6) + TimeSpan.FromMilliseconds(80));
        Link revised = await LinkMeasurement.ReviseAsync(probe, Known(12.5e6), 1 << 20, 0.95, TimeProvider.System, default);
        Assert.That(revised.Latency, Is.EqualTo(Latency));
        Assert.That(revised.BytesPerSecond, Is.EqualTo(1.25e6).Within(5).Percent);
    }

    [Test]
    public async Task Revise_follows_a_latency_that_has_grown()
    {
        Func<int, CancellationToken, ValueTask<TimeSpan>> probe = static (bytes, _) => new ValueTask<TimeSpan>(Time(bytes, 12.5e6) + TimeSpan.FromMilliseconds(40));
        Link revised = await LinkMeasurement.ReviseAsync(probe, Known(12.5e6), Bytes, (await probe(Bytes, default)).TotalSeconds, TimeProvider.System, default);
        Assert.That(revised.Latency.TotalMilliseconds, Is.EqualTo(20).Within(0.1));
        Assert.That(revised.BytesPerSecond, Is.EqualTo(12.5e6).Within(2).Percent);
    }

    [Test]
    public async Task Revise_waits_for_no_probe_that_is_stuck_and_takes_what_the_bytes_tell()
    {
        var time = new FakeTimeProvider();
        Task<Link> revising = LinkMeasurement.ReviseAsync(
            static async (_, token) =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return TimeSpan.Zero;
            },
            Known(12.5e6), 1_000_000, 2, time, default).AsTask();
        time.Advance(TimeSpan.FromSeconds(1));
        Link revised = await revising;
        Assert.That(revised.BytesPerSecond, Is.EqualTo(0.5e6).Within(1).Percent);
        Assert.That(revised.Latency, Is.EqualTo(Latency));
    }

    [Test]
    public void Revise_that_is_stopped_gives_no_link()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.That(
            async () => await LinkMeasurement.ReviseAsync(static (_, token) => ValueTask.FromCanceled<TimeSpan>(token), Known(12.5e6), Bytes, 2, TimeProvider.System, stop.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private static Link Known(double bytesPerSecond) => new() { Latency = Latency, BytesPerSecond = bytesPerSecond };

    private static Func<int, CancellationToken, ValueTask<TimeSpan>> Probe(double bytesPerSecond, int burst = 0, TimeSpan waiting = default) =>
        (bytes, _) => new ValueTask<TimeSpan>(Time(Math.Max(bytes - burst, 0), bytesPerSecond) + (bytes > 0 ? waiting : default));

    private static TimeSpan Time(int bytes, double bytesPerSecond) => (2 * Latency) + TimeSpan.FromSeconds(bytes / bytesPerSecond);
}

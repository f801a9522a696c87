using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Coordination.Membership;
using EdgeSplit.Monitoring;

namespace EdgeSplit.Benchmarks.Monitoring;

/// <summary>What reading the machine's resources takes of a core, at the interval at which a coordinator asks for reports.</summary>
internal static class MonitorCost
{
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync()
    {
        var monitor = new SystemResourceMonitor();
        // Long and often enough that the runtime has compiled for good what is measured: at 250 ms that would take minutes.
        await TickAsync(TimeSpan.FromMilliseconds(2), WarmUp, () => monitor.Sample());
        await Task.Delay(WarmUp);
        Console.WriteLine("| interval ms | samples | processor time µs: a sample | a tick without one | of a core by samples | allocated bytes a sample |");
        Console.WriteLine("| ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (TimeSpan interval in new[] { new MembershipOptions().ReportInterval, TimeSpan.FromMilliseconds(10) })
        {
            (int Ticks, TimeSpan Processor, long Bytes) with = await TickAsync(interval, Measured, () => monitor.Sample());
            (int Ticks, TimeSpan Processor, long Bytes) without = await TickAsync(interval, Measured, static () => { });
            double sample = (with.Processor / with.Ticks).TotalMicroseconds, tick = (without.Processor / without.Ticks).TotalMicroseconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {interval.TotalMilliseconds:0} | {with.Ticks} | {sample:0} | {tick:0} | {(sample - tick) / interval.TotalMicroseconds:0.000%} | {(with.Bytes / with.Ticks) - (without.Bytes / without.Ticks)} |"));
        }
        return 0;
    }

    private static async Task<(int Ticks, TimeSpan Processor, long Bytes)> TickAsync(TimeSpan interval, TimeSpan duration, Action work)
    {
        using var process = Process.GetCurrentProcess();
        using var timer = new PeriodicTimer(interval);
        TimeSpan before = process.TotalProcessorTime;
        long allocated = GC.GetTotalAllocatedBytes(), started = Stopwatch.GetTimestamp();
        int ticks = 0;
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            await timer.WaitForNextTickAsync();
            work();
            ticks++;
        }
        process.Refresh();
        return (ticks, process.TotalProcessorTime - before, GC.GetTotalAllocatedBytes() - allocated);
    }
}

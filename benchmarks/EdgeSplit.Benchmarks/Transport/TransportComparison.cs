using System.Diagnostics;
using System.Globalization;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>
/// Echo round trips and one-way throughput of the library against hand-written sockets. Rounds of both alternate, so that
/// whatever else the machine does hits both; the figures are medians over the rounds.
/// </summary>
internal static class TransportComparison
{
    private const int Rounds = 15;
    private static readonly int[] Sizes = [4 << 10, 64 << 10, 800 << 10, 3 << 20, 64 << 20];

    public static async Task<int> RunAsync()
    {
        Console.WriteLine("echo: round trip of one message at a time; push: a body one way, one byte back");
        Console.WriteLine("| | bytes | raw µs | EdgeSplit µs | ratio | EdgeSplit MB/s | bytes allocated per message |");
        Console.WriteLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (int size in Sizes)
            await CompareAsync("echo", size, isEcho: true);
        foreach (int size in Sizes)
            await CompareAsync("push", size, isEcho: false);
        return 0;
    }

    private static async Task CompareAsync(string name, int size, bool isEcho)
    {
        // Memory that was never written is one page of zeros, and reads faster than any tensor would.
        byte[] body = new byte[size];
        new Random(1).NextBytes(body);
        int calls = (int)Math.Clamp(200_000_000L / size, 4, 4000);
        using RawEcho raw = await RawEcho.StartAsync(size, isEcho);
        await using LibraryEcho library = await LibraryEcho.StartAsync(isEcho ? size : 1);
        Func<byte[], Task> callRaw = isEcho ? raw.EchoAsync : raw.PushAsync;

        var rawTimes = new List<double>();
        var libraryTimes = new List<double>();
        long allocated = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            double rawTime = await MeasureAsync(callRaw, body, calls);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            double libraryTime = await MeasureAsync(library.CallAsync, body, calls);
            long bytes = GC.GetTotalAllocatedBytes(precise: true) - before;
            // The first rounds compile and fill pools.
            if (round < 3)
                continue;
            rawTimes.Add(rawTime);
            libraryTimes.Add(libraryTime);
            allocated = Math.Min(allocated, bytes / (2 * calls));
        }
        double rawMedian = Median(rawTimes);
        double libraryMedian = Median(libraryTimes);
        double ratio = Median([.. libraryTimes.Zip(rawTimes, static (library, raw) => library / raw)]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {size} | {rawMedian:0.0} | {libraryMedian:0.0} | {ratio:0.00} | {size / libraryMedian:0} | {allocated} |"));
    }

    private static async Task<double> MeasureAsync(Func<byte[], Task> call, byte[] body, int calls)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
            await call(body);
        return Stopwatch.GetElapsedTime(started).TotalMicroseconds / calls;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}

using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Transport.Security;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>
/// Echo round trips and one-way throughput of the library against hand-written sockets, a raw TLS stream, and gRPC. Rounds of both
/// alternate, so that whatever else the machine does hits both; the figures are medians over the rounds.
/// </summary>
internal static class TransportComparison
{
    private const int Rounds = 12;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);
    private const long BytesPerRound = 100_000_000;
    private const int MostCalls = 3000;
    private const int LeastCalls = 12;
    private static readonly int[] Sizes = [4 << 10, 64 << 10, 800 << 10, 3 << 20, 64 << 20];

    /// <param name="wanted">Which of echo, push, tls and grpc, and which sizes in bytes; all without any.</param>
    public static async Task<int> RunAsync(string[] wanted)
    {
        int[] sizes = [.. wanted.Where(static word => int.TryParse(word, out _)).Select(int.Parse)];
        string[] sections = [.. wanted.Where(static word => !int.TryParse(word, out _))];
        using CertificateAuthority certificates = CertificateAuthority.Create("benchmark", TimeSpan.FromDays(1));
        Console.WriteLine("echo: round trip of one message at a time; push: a body one way, one byte back; tls: echo over TLS 1.3");
        Console.WriteLine("| | bytes | baseline | baseline µs | EdgeSplit µs | ratio | EdgeSplit MB/s | bytes allocated per message | by the baseline |");
        Console.WriteLine("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (int size in sizes.Length > 0 ? sizes : Sizes)
        {
            if (Wants("echo"))
                await CompareAsync("echo", "socket", size, async () => await RawEcho.StartAsync(size, true), async () => await LibraryEcho.StartAsync(size));
            if (Wants("push"))
                await CompareAsync("push", "socket", size, async () => await RawEcho.StartAsync(size, false), async () => await LibraryEcho.StartAsync(1));
            if (Wants("tls"))
                await CompareAsync("tls", "SslStream", size, async () => await RawTlsEcho.StartAsync(size, certificates), async () => await LibraryEcho.StartAsync(size, certificates));
            if (Wants("grpc"))
                await CompareAsync("echo", "gRPC", size, async () => await GrpcEcho.StartAsync(), async () => await LibraryEcho.StartAsync(size));
        }
        return 0;

        bool Wants(string section) => sections.Length == 0 || sections.Contains(section);
    }

    private static async Task CompareAsync(string name, string baselineName, int size, Func<Task<IEcho>> startBaseline, Func<Task<IEcho>> startLibrary)
    {
        // Memory that was never written is one page of zeros, and reads faster than any tensor would.
        byte[] body = new byte[size];
        new Random(1).NextBytes(body);
        int calls = (int)Math.Clamp(BytesPerRound / size, LeastCalls, MostCalls);
        await using IEcho baseline = await startBaseline();
        await using IEcho library = await startLibrary();
        // Until all of it is compiled with all optimisations, which takes some seconds however fast the calls are.
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < WarmUp)
        {
            await baseline.CallAsync(body);
            await library.CallAsync(body);
        }

        var baselineTimes = new List<double>();
        var libraryTimes = new List<double>();
        (long baselineAllocated, long libraryAllocated) = (long.MaxValue, long.MaxValue);
        for (int round = 0; round < Rounds; round++)
        {
            (double baselineTime, baselineAllocated) = await MeasureAsync(baseline, body, calls, baselineAllocated);
            (double libraryTime, libraryAllocated) = await MeasureAsync(library, body, calls, libraryAllocated);
            baselineTimes.Add(baselineTime);
            libraryTimes.Add(libraryTime);
        }
        double ratio = Median([.. libraryTimes.Zip(baselineTimes, static (library, baseline) => library / baseline)]);
        double libraryMedian = Median(libraryTimes);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {size} | {baselineName} | {Median(baselineTimes):0.0} | {libraryMedian:0.0} | {ratio:0.00} | {size / libraryMedian:0} | {libraryAllocated} | {baselineAllocated} |"));
    }

    /// <returns>The time of a call in microseconds, and the bytes allocated for each message, of which a call has two; the least so far.</returns>
    private static async Task<(double Microseconds, long AllocatedBytes)> MeasureAsync(IEcho echo, byte[] body, int calls, long leastAllocatedBytes)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
            await echo.CallAsync(body);
        double microseconds = Stopwatch.GetElapsedTime(started).TotalMicroseconds / calls;
        return (microseconds, Math.Min(leastAllocatedBytes, (GC.GetTotalAllocatedBytes(precise: true) - before) / (2 * calls)));
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}

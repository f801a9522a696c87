using BenchmarkDotNet.Running;
using EdgeSplit.Benchmarks.Splitting;
using EdgeSplit.Benchmarks.Transport;

// Whole-system comparisons are verbs of their own; everything else is BenchmarkDotNet's (try --list flat).
return args switch
{
    ["split", .. string[] models] => await SplitComparison.RunAsync(models),
    ["transport"] => await TransportComparison.RunAsync(),
    _ => RunBenchmarkDotNet(args),
};

static int RunBenchmarkDotNet(string[] args)
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
    return 0;
}

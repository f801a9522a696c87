using BenchmarkDotNet.Running;
using EdgeSplit.Benchmarks.Adaptation;
using EdgeSplit.Benchmarks.Agents;
using EdgeSplit.Benchmarks.Compression;
using EdgeSplit.Benchmarks.Coordination;
using EdgeSplit.Benchmarks.Costs;
using EdgeSplit.Benchmarks.Forwarding;
using EdgeSplit.Benchmarks.Monitoring;
using EdgeSplit.Benchmarks.Pipelines;
using EdgeSplit.Benchmarks.Placement;
using EdgeSplit.Benchmarks.Splitting;
using EdgeSplit.Benchmarks.Transport;

// Whole-system comparisons are verbs of their own; everything else is BenchmarkDotNet's (try --list flat).
return args switch
{
    ["coordinator"] => await CoordinatorOverhead.RunAsync(),
    ["costs", .. string[] models] => await PredictionComparison.RunAsync(models),
    ["prediction", .. string[] models] => await PipelinePrediction.RunAsync(models),
    ["batching", .. string[] models] => await BatchingGain.RunAsync(models),
    ["pipeline", .. string[] models] => await PipelineThroughput.RunAsync(models),
    [OneCoreModel.Verb, string model, string path] => await OneCoreModel.ServeAsync(model, path),
    ["replication", .. string[] models] => await ReplicationComparison.RunAsync(models),
    [OneCoreAgent.Verb, string id] => await OneCoreAgent.ServeAsync(id),
    ["split", .. string[] models] => await SplitComparison.RunAsync(models),
    ["cuts", .. string[] models] => await CutComparison.RunAsync(models),
    ["split-large", .. string[] gigabytes] => await LargeSplit.RunAsync(gigabytes),
    [LargeSplit.ChildVerb, string model] => await LargeSplit.RunChildAsync(model),
    ["placement", .. string[] options] => PlacementBenchmark.Run(options),
    [PlacementBenchmark.OnceVerb, string path, string seconds] => PlacementBenchmark.RunOnce(path, seconds),
    ["chaos", .. string[] seconds] => await ChaosFigures.RunAsync(seconds),
    ["adaptation", .. string[] changes] => await AdaptationComparison.RunAsync(changes),
    ["monitor"] => await MonitorCost.RunAsync(),
    ["swaps", .. string[] count] => await SwapFigures.RunAsync(count),
    ["planning-scale", .. string[] objectives] => PlanningScale.Run(objectives),
    ["agents", .. string[] counts] => await ManyAgents.RunAsync(counts),
    ["agents-child", string coordinator, string count] => await ManyAgents.RunChildAsync(coordinator, count),
    ["compression", .. string[] models] => await CompressionComparison.RunAsync(models),
    ["grpc-large", .. string[] gigabytes] => await GrpcLarge.RunAsync(gigabytes),
    [GrpcLarge.ChildVerb] => await GrpcLarge.RunChildAsync(),
    ["forwarding", .. string[] options] => await ForwardingComparison.RunAsync(options),
    ["transport", .. string[] sections] => await TransportComparison.RunAsync(sections),
    _ => RunBenchmarkDotNet(args),
};

static int RunBenchmarkDotNet(string[] args)
{
    BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
    return 0;
}

using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Swaps;

/// <summary>Moves two layers to and fro between two agents while requests run.</summary>
public static class SwapRun
{
    private const int MovedLayers = 2;
    private static readonly TimeSpan Sample = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs a number of switches, after and before a time without any.</summary>
    /// <param name="zooName">The model of the zoo.</param>
    /// <param name="swaps">The number of switches.</param>
    /// <param name="quiet">How long one plan stays, before and after.</param>
    /// <param name="pause">The time between two switches.</param>
    /// <param name="inFlight">The requests in flight at a time.</param>
    public static async Task<SwapReport> RunAsync(string zooName, int swaps, TimeSpan quiet, TimeSpan pause, int inFlight)
    {
        using TestModel model = await TestModel.CreateAsync(zooName);
        await using TestbedSystem testbed = await TestbedSystem.StartAsync(
            new TestbedOptions { Agents = 2, HasNetworks = false, Coordinator = new CoordinatorOptions { Adaptation = null } }, model.Format);
        using var opened = (OnnxModel)await model.Format.OpenAsync(model.Path, CancellationToken.None);
        (PartitionPlan first, PartitionPlan second) = PlanPair(await testbed.Coordinator.CreateProblemAsync(opened.Graph));
        await using Deployment deployment = await testbed.Coordinator.DeployAsync(model.Path, new DeploymentOptions { Plan = first });
        var load = new RequestLoad(deployment, model, inFlight);
        try
        {
            // Both plans' weights and code are there before anything is measured.
            await deployment.RepartitionAsync(second);
            await deployment.RepartitionAsync(first);
            await Task.Delay(quiet / 2);
            int warmUp = load.Outcomes.Count;
            List<long> quietBytes = await MeasureAsync(testbed, Task.Delay(quiet));
            int begin = load.Outcomes.Count;
            var times = new List<TimeSpan>();
            List<long> duringBytes = await MeasureAsync(testbed, SwapAsync());
            int end = load.Outcomes.Count;
            quietBytes.AddRange(await MeasureAsync(testbed, Task.Delay(quiet)));
            await load.DisposeAsync();
            IReadOnlyList<LoadOutcome> all = load.Outcomes;
            return new SwapReport(
                swaps, Latencies.At(times, 50), [.. all.Take(begin).Skip(warmUp), .. all.Skip(end)], [.. all.Take(end).Skip(begin)], Median(quietBytes), Median(duringBytes), duringBytes.Max());

            async Task SwapAsync()
            {
                for (int swap = 0; swap < swaps; swap++)
                {
                    long started = Stopwatch.GetTimestamp();
                    await deployment.RepartitionAsync(swap % 2 == 0 ? second : first);
                    times.Add(Stopwatch.GetElapsedTime(started));
                    await Task.Delay(pause);
                }
            }
        }
        finally
        {
            await load.DisposeAsync();
        }
    }

    /// <summary>
    /// A plan of two stages of about as many operations, and the one in which two layers of the first stage are in the second: the same
    /// ones however fast the agents found themselves to be.
    /// </summary>
    public static (PartitionPlan First, PartitionPlan Second) PlanPair(PartitionProblem problem)
    {
        int[] devices = [.. Enumerable.Range(0, problem.Fleet.Devices.Length).Where(device => problem.Fleet.Devices[device].RunsLayers).Take(2)];
        double half = problem.Graph.Layers.Sum(static layer => layer.FloatOperations) / 2, before = 0;
        int cut = problem.Graph.Layers.TakeWhile(layer => (before += layer.FloatOperations) < half).Count();
        var evaluator = new PlanEvaluator(problem);
        PartitionPlan Plan(int cut) => evaluator.Create([.. problem.Graph.Layers.Select(layer => devices[layer.Index < cut ? 0 : 1])], "halves");
        return (Plan(cut), Plan(cut - MovedLayers));
    }

    private static async Task<List<long>> MeasureAsync(TestbedSystem testbed, Task until)
    {
        var bytes = new List<long>();
        do
        {
            bytes.Add(testbed.Agents.Sum(static agent => agent.ProportionalBytes));
        }
        while (await Task.WhenAny(until, Task.Delay(Sample)) != until);
        await until;
        return bytes;
    }

    private static long Median(List<long> values) => values.Order().ElementAt(values.Count / 2);
}

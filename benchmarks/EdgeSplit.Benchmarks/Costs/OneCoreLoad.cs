using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tensors;
using EdgeSplit.Transport;

namespace EdgeSplit.Benchmarks.Costs;

/// <summary>What benchmarks of two agents of one core each have in common.</summary>
internal static class OneCoreLoad
{
    /// <summary>Runs a comparison for models, with two agents that stay and a folder of its own for each.</summary>
    public static async Task ForEachAsync(IEnumerable<string> models, Func<ZooEntry, string, OneCoreAgent[], Task> compareAsync)
    {
        await using OneCoreAgent first = await OneCoreAgent.StartAsync(0), second = await OneCoreAgent.StartAsync(1);
        foreach (string name in models)
        {
            DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-one-core-");
            try
            {
                await compareAsync(Zoo.Get(name), folder.FullName, [first, second]);
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        }
    }

    /// <summary>Lets a coordinator use agents.</summary>
    public static async Task ConnectAsync(Coordinator coordinator, OneCoreAgent[] agents)
    {
        foreach (OneCoreAgent agent in agents)
            await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(agent.Address));
    }

    /// <summary>Sends requests from callers that each wait for their result.</summary>
    /// <returns>How many have ended, and the seconds until the last one had.</returns>
    public static async Task<(int Ended, double Seconds)> RunAsync(Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs, int callers, TimeSpan duration)
    {
        int ended = 0;
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                (await deployment.InferAsync(inputs)).Dispose();
                Interlocked.Increment(ref ended);
            }
        })));
        return (ended, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }
}

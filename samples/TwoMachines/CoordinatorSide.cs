using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using EdgeSplit.Transport;
using EdgeSplit.Transport.Security;

namespace TwoMachines;

/// <summary>What runs where the requests come from.</summary>
internal static class CoordinatorSide
{
    private const int Requests = 20;

    public static async Task<int> RunAsync(string address, Secrets secrets)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-two-machines-");
        try
        {
            string model = Path.Combine(folder.FullName, "mobilenetv2.onnx");
            Zoo.Get("mobilenetv2").Write(model);
            var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1, Optimization = GraphOptimization.Off });
            await using var coordinator = new Coordinator(new OnnxModelFormat());
            await coordinator.AddAgentAsync(new EdgeAgent("here", runtime));
            await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(address, new RemoteEdgeAgentOptions
            {
                JoinToken = secrets.Token,
                Tls = new TlsClientOptions { Authorities = secrets.Authorities, Certificate = secrets.Certificate },
            }));

            // The cut in the middle of the work, so that both sides have a part whatever the machines are.
            using OnnxModel opened = OnnxModel.Open(model);
            PartitionProblem problem = await coordinator.CreateProblemAsync(opened.Graph);
            CutPoint middle = CutPoints.FindGood(opened.Graph).MinBy(static cut => Math.Abs(cut.FloatOperationsBefore - 0.5))!;
            int here = problem.Fleet.IndexOf("here"), device = problem.Fleet.IndexOf("device");
            int[] assignment = [.. opened.Graph.Layers.Select(layer => layer.Index <= middle.AfterLayer ? here : device)];
            PartitionPlan plan = new PlanEvaluator(problem).Create(assignment, "by hand");
            await using Deployment deployment = await coordinator.DeployAsync(model, new DeploymentOptions { Plan = plan });
            foreach (PlanStage stage in deployment.Plan.Stages)
                Console.WriteLine($"stage {stage.Index}: {stage.Layers.Length} layers on '{deployment.Plan.Fleet.Devices[stage.Device].Id}'");

            IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(deployment.Inputs, seed: 7);
            using IPartitionExecutor unsplit = await runtime.LoadModelAsync(model);
            IReadOnlyDictionary<string, Tensor> expected = unsplit.Execute(inputs, CancellationToken.None);
            double worst = 0;
            var latencies = new List<double>();
            for (int request = 0; request < Requests; request++)
            {
                using FinalResult result = await deployment.InferAsync(inputs);
                worst = Math.Max(worst, SplitComparison.Of(expected, result.Outputs).LargestRelative);
                latencies.Add(result.Latency.TotalMilliseconds);
            }
            Console.WriteLine($"{Requests} requests, median {latencies.Order().ElementAt(Requests / 2):0.0} ms, largest relative difference from the unsplit model {worst:g3}");
            foreach (Tensor tensor in (Tensor[])[.. inputs.Values, .. expected.Values])
                tensor.Dispose();
            return worst <= 1e-4 ? 0 : 1;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

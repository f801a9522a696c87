using System.Diagnostics;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>What is far above gRPC's message limits, over gRPC under default options: a tensor there and back, and a model to an agent in another process.</summary>
internal static class GrpcLarge
{
    public const string ChildVerb = "grpc-large-child";
    private const int TensorBytes = 300_000_000;
    private const int Rounds = 5;

    /// <param name="gigabytes">The model's size; 3 where none is given.</param>
    public static async Task<int> RunAsync(string[] gigabytes)
    {
        // The model first: what memory the tensor takes would be counted with it.
        int code = await SendModelAsync(gigabytes.Length > 0 ? double.Parse(gigabytes[0], CultureInfo.InvariantCulture) : 3);
        await SendTensorAsync();
        return code;
    }

    /// <summary>An agent that lives until its input ends, and then tells its peak memory.</summary>
    public static async Task<int> RunChildAsync()
    {
        await using var agent = new EdgeAgent("other", new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }));
        await using var server = new GrpcAgentServer(agent);
        await server.StartAsync();
        Console.WriteLine(server.Address);
        await Console.In.ReadLineAsync();
        Console.WriteLine(PeakBytes().ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static async Task SendTensorAsync()
    {
        byte[] bytes = new byte[TensorBytes];
        new Random(1).NextBytes(bytes);
        var shape = new TensorShape(TensorBytes);
        await using var server = new GrpcAgentServer(new EchoAgent(Tensor.Wrap(TensorElementType.UInt8, shape, bytes)));
        await server.StartAsync();
        await using GrpcEdgeAgent agent = await GrpcEdgeAgent.ConnectAsync(server.Address);
        var seconds = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            var inputs = new Dictionary<string, Tensor> { ["x"] = Tensor.Wrap(TensorElementType.UInt8, shape, bytes) };
            long started = Stopwatch.GetTimestamp();
            using PartialResult result = await agent.ExecuteAsync(new InferenceRequest(Guid.NewGuid(), "0123456789abcdef", inputs), default);
            seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            if (!result.Outputs.Values.Single().Bytes.Span.SequenceEqual(bytes))
                throw new InvalidOperationException("Other bytes came back.");
        }
        seconds.Sort();
        double median = seconds[Rounds / 2];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"tensor of {TensorBytes / 1e6:0} MB there and back: median {median:0.00} s of {Rounds} ({seconds[0]:0.00} to {seconds[^1]:0.00}), {2 * TensorBytes / median / 1e6:0} MB/s"));
    }

    private static async Task<int> SendModelAsync(double gigabytes)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-grpc-large-");
        string[] command = SelfStart.Command(ChildVerb);
        using var child = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        try
        {
            string address = await child.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The agent did not start.");
            string path = Path.Combine(folder.FullName, "model.onnx");
            ZooEntry entry = Zoo.LargeExternal((long)(gigabytes * 1e9));
            entry.Write(path);
            long bytes = folder.EnumerateFiles().Sum(static file => file.Length);
            // Writing the model is no part of it.
            if (OperatingSystem.IsLinux())
                await File.WriteAllTextAsync("/proc/self/clear_refs", "5");
            await using var coordinator = new Coordinator(new OnnxModelFormat());
            await coordinator.AddAgentAsync(await GrpcEdgeAgent.ConnectAsync(address));
            long started = Stopwatch.GetTimestamp();
            await using Deployment deployment = await coordinator.DeployAsync(path);
            double deploySeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            IReadOnlyDictionary<string, Tensor> inputs = RandomTensors.ForInputs(deployment.Inputs, 1, entry.TypicalDimensions);
            using FinalResult result = await deployment.InferAsync(inputs);
            long ownPeak = PeakBytes();
            await child.StandardInput.WriteLineAsync();
            long agentPeak = long.Parse(await child.StandardOutput.ReadLineAsync() ?? "0", CultureInfo.InvariantCulture);
            using IPartitionExecutor whole = await new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 }).LoadModelAsync(path);
            IReadOnlyDictionary<string, Tensor> expected = whole.Execute(inputs, default);
            bool isEqual = expected.All(output => output.Value.Bytes.Span.SequenceEqual(result.Outputs[output.Key].Bytes.Span));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"model of {bytes / 1e9:0.00} GB to an agent: {deploySeconds:0.0} s from file to ready, {bytes / deploySeconds / 1e6:0} MB/s; peak memory of the coordinator's process {ownPeak / 1e6:0} MB, of the agent's {agentPeak / 1e6:0} MB; result {(isEqual ? "bit for bit the whole model's" : "differs from the whole model's")}"));
            return isEqual ? 0 : 1;
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
            folder.Delete(recursive: true);
        }
    }

    private static long PeakBytes()
    {
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}

using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests;
using EdgeSplit.Transport;

namespace EdgeSplit.Grpc.Tests.OpenInference;

/// <summary>Clients that others wrote, in another language, against a real model that is split over an agent on TCP and one on gRPC.</summary>
internal sealed class NodeClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly string Scripts = Path.Combine(AppContext.BaseDirectory, "Node");

    [Test]
    public async Task NodeClients_getWhatTheUnsplitModelGives()
    {
        await InstallAsync();
        using var folder = new TemporaryFolder();
        string path = folder["mobilenetv2.onnx"];
        Zoo.Get("mobilenetv2").Write(path);
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        await using var tcpAgent = new EdgeAgent("tcp", runtime);
        await using var grpcAgent = new EdgeAgent("grpc", runtime);
        await using var tcpServer = new AgentServer(tcpAgent);
        await tcpServer.StartAsync();
        await using var grpcServer = new GrpcAgentServer(grpcAgent);
        await grpcServer.StartAsync();
        await using var coordinator = new Coordinator(new OnnxModelFormat(), new CoordinatorOptions { Partitioner = FixedPartitioner.Even });
        await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(tcpServer.EndPoint));
        await coordinator.AddAgentAsync(await GrpcEdgeAgent.ConnectAsync(grpcServer.Address));
        await using Deployment deployment = await coordinator.DeployAsync(path);
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(coordinator);

        (string inputName, Tensor input) = Zoo.Get("mobilenetv2").CreateInputs(seed: 1).Single();
        using IPartitionExecutor unsplit = await runtime.LoadModelAsync(path);
        (string outputName, Tensor output) = unsplit.Execute(new Dictionary<string, Tensor> { [inputName] = input }, default).Single();
        string job = folder["job.json"];
        await File.WriteAllTextAsync(job, JsonSerializer.Serialize(new
        {
            grpc = new Uri(host.GrpcAddress).Authority,
            rest = host.RestAddress,
            proto = Path.Combine(Scripts, "grpc_service.proto"),
            model = deployment.Name,
            input = new { name = inputName, shape = input.Shape.Dimensions, base64 = Convert.ToBase64String(input.Bytes.Span) },
            output = new { name = outputName, shape = output.Shape.Dimensions, base64 = Convert.ToBase64String(output.Bytes.Span) },
        }));
        Assert.That(deployment.Plan.Stages.Select(stage => deployment.Plan.Fleet.Devices[stage.Device].Id).Distinct(), Is.EquivalentTo(["tcp", "grpc"]));
        string said = await RunAsync("node", [Path.Combine(Scripts, "check.js"), job]);
        Assert.That(said, Does.Contain("gRPC: ok").And.Contain("REST: ok"));
    }

    private static async Task InstallAsync()
    {
        if (Directory.Exists(Path.Combine(Scripts, "node_modules")))
            return;
        try
        {
            await RunAsync(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        }
        catch (Exception exception) when (exception is Win32Exception or AssertionException or TimeoutException)
        {
            Assert.Ignore($"Node or its packages are not to be had here: {exception.Message}");
        }
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { WorkingDirectory = Scripts, RedirectStandardOutput = true, RedirectStandardError = true },
        };
        process.Start();
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Limit);
            return process.ExitCode == 0 ? await output : throw new AssertionException($"{program} ended with {process.ExitCode}:\n{await output}\n{await error}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}

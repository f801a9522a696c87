// A web application that serves a model which is split over two agents in its own process, with health and the dashboard.
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Grpc;
using EdgeSplit.Hosting;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tensors;

string folder = Directory.CreateTempSubdirectory("edgesplit-aspnet-").FullName;
try
{
    string model = Path.Combine(folder, "resnet18.onnx");
    Zoo.Get("resnet18").Write(model);

    WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
    builder.Services.AddEdgeSplit()
        .AddCoordinator(options =>
        {
            options.AddModel(model);
            options.MinimumAgents = 2;
            options.Objective = PlanObjective.Throughput;
        })
        .AddAgent(options => options.Id = "camera")
        .UseTcp()    // agents that join, or that are connected to: EdgeSplit:Tcp in the configuration
        .UseGrpc();  // the Open Inference Protocol, and agents over gRPC
    // A second agent in this process; one on another machine needs no code, but EdgeSplit:Tcp:Agents:0=HOST:PORT.
    builder.Services.AddSingleton<IEdgeAgent>(services => new EdgeAgent("gateway", new SlowedPartitionRuntime(services.GetRequiredService<IPartitionRuntime>(), 2)));

    WebApplication app = builder.Build();
    app.MapEdgeSplit();
    app.MapEdgeSplitHealth();
    app.MapEdgeSplitDashboard("/dashboard");
    app.MapPost("/classify", async (float[] pixels, DeployedModels models, CancellationToken cancellationToken) =>
    {
        Deployment deployment = await models.GetAsync("resnet18", cancellationToken);
        using Tensor image = Tensor.Create<float>(pixels, new TensorShape(1, 3, 224, 224));
        using FinalResult result = await deployment.InferAsync(new Dictionary<string, Tensor> { ["input"] = image }, cancellationToken);
        ReadOnlySpan<float> scores = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(result.Outputs["logits"].Bytes.Span);
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
                best = i;
        }
        return new { label = best, milliseconds = result.Latency.TotalMilliseconds, stages = result.Stages.Select(stage => stage.AgentId) };
    });
    app.Run();
}
finally
{
    Directory.Delete(folder, recursive: true);
}

using System.Net;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc;
using EdgeSplit.ModelZoo;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Partitioning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OpenInferenceClient;

/// <summary>MobileNetV2, split over two agents, behind the Open Inference Protocol: what the clients ask if nothing else is named.</summary>
internal sealed class SplitServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly Coordinator _coordinator;
    private readonly Deployment _deployment;
    private readonly WebApplication _application;

    private SplitServer(DirectoryInfo folder, Coordinator coordinator, Deployment deployment, WebApplication application)
    {
        _folder = folder;
        _coordinator = coordinator;
        _deployment = deployment;
        _application = application;
    }

    public string GrpcAddress => Addresses.First();

    public string RestAddress => Addresses.Last();

    public string Model => _deployment.Name;

    public string Input => _deployment.Inputs[0].Name;

    private ICollection<string> Addresses => _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    public static async Task<SplitServer> StartAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("edgesplit-client-");
        string model = Path.Combine(folder.FullName, "mobilenetv2.onnx");
        Zoo.Get("mobilenetv2").Write(model);
        var runtime = new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = 1 });
        var coordinator = new Coordinator(new OnnxModelFormat());
        await coordinator.AddAgentAsync(new EdgeAgent("one", runtime));
        await coordinator.AddAgentAsync(new EdgeAgent("two", runtime));
        // One part for each agent, so that there surely are two.
        Deployment deployment = await coordinator.DeployAsync(model, new DeploymentOptions { Partitioner = new LayerwisePartitioner() });

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Without TLS a port speaks HTTP/2, for gRPC, or HTTP/1.1, for REST.
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddEdgeSplitCoordinatorServices(_ => coordinator);
        WebApplication application = builder.Build();
        application.MapEdgeSplit();
        await application.StartAsync();
        return new SplitServer(folder, coordinator, deployment, application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        await _coordinator.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Benchmarks.Transport;

/// <summary>
/// The same as gRPC unary calls over HTTP/2 without TLS, with what a user would raise for large messages raised: the message limits,
/// and the flow-control windows to 16 MiB on both sides. Bodies are sent without a copy of ours.
/// </summary>
internal sealed class GrpcEcho : IEcho
{
    private const int WindowBytes = 16 << 20;
    private readonly WebApplication _server;
    private readonly GrpcChannel _channel;
    private readonly GrpcEchoService.GrpcEchoServiceClient _client;

    private GrpcEcho(WebApplication server, GrpcChannel channel)
    {
        _server = server;
        _channel = channel;
        _client = new GrpcEchoService.GrpcEchoServiceClient(channel);
    }

    public static async Task<GrpcEcho> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc(static options => options.MaxReceiveMessageSize = options.MaxSendMessageSize = null);
        builder.WebHost.ConfigureKestrel(static options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.Http2.InitialConnectionWindowSize = options.Limits.Http2.InitialStreamWindowSize = WindowBytes;
            options.Listen(System.Net.IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        WebApplication server = builder.Build();
        server.MapGrpcService<Service>();
        await server.StartAsync();
        GrpcChannel channel = GrpcChannel.ForAddress(server.Urls.First(), new GrpcChannelOptions
        {
            MaxReceiveMessageSize = null,
            MaxSendMessageSize = null,
            HttpHandler = new SocketsHttpHandler { InitialHttp2StreamWindowSize = WindowBytes },
        });
        return new GrpcEcho(server, channel);
    }

    public async Task CallAsync(byte[] body) =>
        await _client.ExecuteAsync(new GrpcTensor { Name = "x", Body = UnsafeByteOperations.UnsafeWrap(body) });

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    private sealed class Service : GrpcEchoService.GrpcEchoServiceBase
    {
        public override Task<GrpcTensor> Execute(GrpcTensor request, ServerCallContext context) =>
            Task.FromResult(new GrpcTensor { Name = "y", Body = request.Body });
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using EdgeSplit.Grpc.OpenInference.V2;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;

namespace EdgeSplit.Grpc.Tests.OpenInference;

/// <summary>What the server says of itself, and whom it answers.</summary>
internal sealed class ServerTests
{
    private const string Token = "a token of more than enough letters";

    [Test]
    public async Task Health_isServingWhileAModelIsDeployed()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator, new GrpcServiceOptions { Token = Token });
        using GrpcChannel channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var health = new Health.HealthClient(channel);
        Assert.That((await health.CheckAsync(new HealthCheckRequest())).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.Serving));
        await system.Deployment.DisposeAsync();
        Assert.That((await health.CheckAsync(new HealthCheckRequest())).Status, Is.EqualTo(HealthCheckResponse.Types.ServingStatus.NotServing));
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using HttpResponseMessage ready = await http.GetAsync("/v2/health/ready");
        Assert.That(ready.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task Reflection_listsTheServices()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using GrpcChannel channel = GrpcChannel.ForAddress(host.GrpcAddress);
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        await call.RequestStream.CompleteAsync();
        Assert.That(await call.ResponseStream.MoveNext(default));
        Assert.That(
            call.ResponseStream.Current.ListServicesResponse.Service.Select(static service => service.Name),
            Is.SupersetOf(["inference.GRPCInferenceService", "edgesplit.v1.Coordinator", "grpc.health.v1.Health"]));
    }

    [Test]
    public async Task Calls_withoutTheToken_areRefusedOnBothWays()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator, new GrpcServiceOptions { Token = Token });
        using GrpcChannel channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        RpcException? refused = await Assert.ThrowsAsync<RpcException>(async () => await client.ServerLiveAsync(new ServerLiveRequest()));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.Unauthenticated));
        var headers = new Metadata { { "authorization", $"Bearer {Token}" } };
        Assert.That((await client.ServerLiveAsync(new ServerLiveRequest(), headers)).Live);

        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        using (HttpResponseMessage response = await http.GetAsync("/v2"))
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        using (HttpResponseMessage response = await http.GetAsync("/v2"))
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Description_namesWhatAnswers()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        using JsonDocument description = JsonDocument.Parse(await http.GetByteArrayAsync("/v2/openapi.json"));
        foreach (JsonProperty path in description.RootElement.GetProperty("paths").EnumerateObject())
        {
            string address = path.Name.Replace("{model}", system.Deployment.Name, StringComparison.Ordinal).Replace("{version}", "1", StringComparison.Ordinal);
            if (path.Value.TryGetProperty("get", out _))
            {
                using HttpResponseMessage response = await http.GetAsync(address);
                Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK), address);
            }
            else
            {
                // A request without inputs is at least understood.
                using HttpResponseMessage response = await http.PostAsync(address, new StringContent("""{"inputs":[]}"""));
                Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK).Or.EqualTo(HttpStatusCode.BadRequest), address);
            }
        }
    }

    [Test]
    public async Task Metadata_andStatistics_giveNumbersAsNumbers()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        string address = $"/v2/models/{system.Deployment.Name}";
        using JsonDocument metadata = JsonDocument.Parse(await http.GetStringAsync(address));
        JsonElement input = metadata.RootElement.GetProperty("inputs")[0];
        Assert.That(input.GetProperty("name").GetString(), Is.EqualTo(system.Deployment.Inputs[0].Name));
        Assert.That(
            input.GetProperty("shape").EnumerateArray().Select(static dimension => dimension.GetInt64()),
            Is.EqualTo(system.Deployment.Inputs[0].Dimensions.Select(static dimension => dimension.Size ?? -1)));
        using JsonDocument statistics = JsonDocument.Parse(await http.GetStringAsync(address + "/stats"));
        Assert.That(statistics.RootElement.GetProperty("model_stats")[0].GetProperty("inference_count").GetInt64(), Is.Zero);
    }

    [TestCase("http://localhost:3000", HttpStatusCode.OK)]
    [TestCase("https://site.example", HttpStatusCode.Unauthorized)]
    [TestCase("null", HttpStatusCode.Unauthorized)]
    public async Task Call_ofAPageOfAnotherSite_isRefusedWithoutAToken(string origin, HttpStatusCode status)
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        http.DefaultRequestHeaders.Add("Origin", origin);
        using HttpResponseMessage response = await http.GetAsync("/v2");
        Assert.That(response.StatusCode, Is.EqualTo(status));
    }

    [Test]
    public async Task Ready_isNo_whileAgentsAreLostThatNoOtherReplaces()
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        string model = $"/v2/models/{system.Deployment.Name}/ready";
        using (HttpResponseMessage before = await http.GetAsync(model))
            Assert.That(before.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await system.TcpServer.DisposeAsync();
        await system.GrpcServer.DisposeAsync();
        while (system.Deployment.IsServing)
            await Task.Delay(10);
        foreach (string path in (string[])[model, "/v2/health/ready"])
        {
            using HttpResponseMessage after = await http.GetAsync(path);
            Assert.That(after.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), path);
        }
        using GrpcChannel channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        Assert.That((await client.ServerReadyAsync(new ServerReadyRequest())).Ready, Is.False);
        Assert.That((await client.ModelReadyAsync(new ModelReadyRequest { Name = system.Deployment.Name })).Ready, Is.False);
        Assert.That((await client.RepositoryIndexAsync(new RepositoryIndexRequest())).Models[0].State, Is.EqualTo("UNAVAILABLE"));
    }

    [TestCase("GET", "/v2/nothing", HttpStatusCode.NotFound)]
    [TestCase("POST", "/v2/repository/models/chain/load", HttpStatusCode.NotFound)]
    [TestCase("POST", "/v2/health/live", HttpStatusCode.MethodNotAllowed)]
    [TestCase("GET", "/v2/models/chain/infer", HttpStatusCode.MethodNotAllowed)]
    [TestCase("DELETE", "/v2/models/chain", HttpStatusCode.MethodNotAllowed)]
    [TestCase("GET", "/v2/models/chain/versions/2", HttpStatusCode.NotFound)]
    [TestCase("HEAD", "/v2/health/live", HttpStatusCode.OK)]
    public async Task Path_orMethod_thatIsNotThere_isToldAsAnError(string method, string path, HttpStatusCode status)
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage response = await http.SendAsync(request);
        Assert.That(response.StatusCode, Is.EqualTo(status));
        if (status == HttpStatusCode.OK)
            return;
        using JsonDocument error = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.That(error.RootElement.GetProperty("error").GetString(), Is.Not.Empty);
        Assert.That(response.Content.Headers.Allow, status == HttpStatusCode.MethodNotAllowed ? Is.Not.Empty : Is.Empty);
    }

    [TestCase("gzip", false)]
    [TestCase("deflate", false)]
    [TestCase("gzip", true)]
    [TestCase("br", false)]
    public async Task Infer_ofACompressedRequest_isUnderstood(string encoding, bool isDamaged)
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        // Clients write null for what they leave out.
        string json = JsonSerializer.Serialize(new
        {
            id = (string?)null,
            parameters = (object?)null,
            outputs = (object?)null,
            inputs = system.Deployment.Inputs.Select(static input => new
            {
                name = input.Name,
                datatype = "FP32",
                parameters = (object?)null,
                shape = input.Dimensions.Select(static dimension => dimension.Size ?? 1),
                data = new float[input.Dimensions.Aggregate(1L, static (product, dimension) => product * (dimension.Size ?? 1))],
            }),
        });
        using var packed = new MemoryStream();
        await using (Stream stream = encoding switch
        {
            "gzip" => new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new System.IO.Compression.ZLibStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true),
            _ => new System.IO.Compression.BrotliStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true),
        })
        {
            await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(json));
        }
        byte[] bytes = packed.ToArray();
        if (isDamaged)
            bytes[0] ^= 0xFF;
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentEncoding.Add(encoding);
        using HttpResponseMessage response = await http.PostAsync($"/v2/models/{system.Deployment.Name}/infer", content);
        Assert.That(response.StatusCode, Is.EqualTo(isDamaged || encoding == "br" ? HttpStatusCode.BadRequest : HttpStatusCode.OK), await response.Content.ReadAsStringAsync());
    }

    [TestCase("not json")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("""{"inputs": 3}""")]
    [TestCase("""{"inputs": [{"datatype": "FP32", "shape": [1], "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "shape": [1], "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP32", "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP31", "shape": [1], "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1], "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [2], "data": [1]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": ["one"]}]}""")]
    [TestCase("""{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}]}""")]
    public async Task Infer_ofARequestThatIsWrong_saysSo(string request)
    {
        await using MixedSystem system = await MixedSystem.StartAsync();
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(system.Coordinator);
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        using HttpResponseMessage response = await http.PostAsync($"/v2/models/{system.Deployment.Name}/infer", new StringContent(request));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        using JsonDocument error = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.That(error.RootElement.GetProperty("error").GetString(), Is.Not.Empty);
    }
}

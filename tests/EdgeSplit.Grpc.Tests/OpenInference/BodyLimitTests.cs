using System.Net;
using System.Net.Http.Headers;
using System.Text;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests;

namespace EdgeSplit.Grpc.Tests.OpenInference;

/// <summary>What requests over REST from one address may hold.</summary>
internal sealed class BodyLimitTests
{
    [Test]
    public async Task Infer_bodyBeyondWhatAnAddressMayHold_isRefused_whetherItsLengthIsToldOrNot([Values] bool isLengthTold)
    {
        using var folder = new TemporaryFolder();
        FakeModel model = new FakeModelBuilder("m").Input("x", TensorElementType.Float, [1, 2]).Copy("copy", "x", "y").Output("y").Build();
        model.Save(folder["copy.json"]);
        await using var coordinator = new Coordinator(new FakeModelFormat(), new CoordinatorOptions { Partitioner = FixedPartitioner.Even });
        await coordinator.AddAgentAsync(new EdgeAgent("a", new FakePartitionRuntime()));
        await coordinator.DeployAsync(folder["copy.json"]);
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(coordinator, new GrpcServiceOptions { MaxBufferedBytesPerPeer = 1000 });
        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };

        using HttpResponseMessage refused = await SendAsync(2000);
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable).Or.EqualTo(HttpStatusCode.TooManyRequests));
        Assert.That(await refused.Content.ReadAsStringAsync(), Does.Contain("from your address"));
        for (int i = 0; i < 10; i++)
        {
            using HttpResponseMessage taken = await SendAsync(500);
            Assert.That(taken.StatusCode, Is.EqualTo(HttpStatusCode.OK), "What a request held is free again when it is answered.");
        }

        async Task<HttpResponseMessage> SendAsync(int byteCount)
        {
            string json = """{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1,2]}]}""";
            using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/copy/infer");
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json.PadRight(byteCount)));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.TransferEncodingChunked = !isLengthTold;
            return await http.SendAsync(request);
        }
    }
}

using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeSplit.Agents;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.OpenInference;
using EdgeSplit.Grpc.OpenInference.V2;
using EdgeSplit.Tensors;
using EdgeSplit.Testing.Fakes;
using EdgeSplit.Tests;
using Google.Protobuf;
using Grpc.Net.Client;

namespace EdgeSplit.Grpc.Tests.OpenInference;

/// <summary>Every datatype, in every way that a request can carry it, through a model that copies its input.</summary>
internal sealed class DatatypeTests
{
    private static readonly long[] Shape = [2, 3];

    [TestCaseSource(nameof(Types))]
    public async Task Infer_ofEveryType_givesTheSameElementsBack(TensorElementType type)
    {
        using var folder = new TemporaryFolder();
        FakeModel model = new FakeModelBuilder("m").Input("x", type, Shape).Copy("copy", "x", "y").Output("y").Build();
        model.Save(folder["copy.v3.json"]);
        await using var coordinator = new Coordinator(new FakeModelFormat(), new CoordinatorOptions { Partitioner = FixedPartitioner.Even });
        await coordinator.AddAgentAsync(new EdgeAgent("a", new FakePartitionRuntime()));
        await coordinator.DeployAsync(folder["copy.v3.json"]);
        await using CoordinatorHost host = await CoordinatorHost.StartAsync(coordinator);
        using Tensor input = type == TensorElementType.Bool
            ? Tensor.Create<bool>([true, false, true, true, false, false], new TensorShape(Shape))
            : model.RandomInputs(7)["x"];
        byte[] bytes = BytesOf(input);

        using GrpcChannel channel = GrpcChannel.ForAddress(host.GrpcAddress);
        var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        ModelMetadataResponse metadata = await client.ModelMetadataAsync(new ModelMetadataRequest { Name = "copy" });
        Assert.That(metadata.Versions, Is.EqualTo(["3"]));
        Assert.That(metadata.Inputs[0].Datatype, Is.EqualTo(Datatypes.NameOf(type)));
        Assert.That(metadata.Inputs[0].Shape, Is.EqualTo(Shape));

        ModelInferRequest raw = Request(type);
        raw.RawInputContents.Add(ByteString.CopyFrom(bytes));
        ModelInferResponse answer = await client.ModelInferAsync(raw);
        Assert.That(answer.RawOutputContents[0].ToByteArray(), Is.EqualTo(bytes));
        Assert.That(answer.Outputs[0].Datatype, Is.EqualTo(Datatypes.NameOf(type)));
        if (TypedContents.CanCarry(type))
        {
            ModelInferRequest typed = Request(type);
            typed.Inputs[0].Contents = TypedContents.Write(input);
            Assert.That((await client.ModelInferAsync(typed)).Outputs[0].Contents, Is.EqualTo(typed.Inputs[0].Contents));
        }

        using var http = new HttpClient { BaseAddress = new Uri(host.RestAddress) };
        await CheckBinaryAsync(http, type, bytes);
        if (JsonTensors.CanCarry(type) && IsFinite(input))
            await CheckJsonAsync(http, type, input);
    }

    private static async Task CheckBinaryAsync(HttpClient http, TensorElementType type, byte[] bytes)
    {
        string json = JsonSerializer.Serialize(new
        {
            parameters = new { binary_data_output = true },
            inputs = new[] { new { name = "x", datatype = Datatypes.NameOf(type), shape = Shape, parameters = new { binary_data_size = bytes.Length } } },
        });
        using var content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(json), .. bytes]);
        content.Headers.Add("Inference-Header-Content-Length", Encoding.UTF8.GetByteCount(json).ToString(CultureInfo.InvariantCulture));
        using HttpResponseMessage response = await http.PostAsync("/v2/models/copy/versions/3/infer", content);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Assert.That(response.IsSuccessStatusCode, Encoding.UTF8.GetString(body));
        int length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        Assert.That(body[length..], Is.EqualTo(bytes));
    }

    private static async Task CheckJsonAsync(HttpClient http, TensorElementType type, Tensor input)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            JsonTensors.Write(writer, input);
        JsonArray data = JsonNode.Parse(stream.ToArray())!.AsArray();
        // Nested as the shape is.
        var nested = new JsonArray([.. data.Select(static element => element!.DeepClone()).Chunk((int)Shape[1]).Select(static row => (JsonNode)new JsonArray(row))]);
        var request = new JsonObject
        {
            ["inputs"] = new JsonArray(new JsonObject
            {
                ["data"] = nested,
                ["name"] = "x",
                ["datatype"] = Datatypes.NameOf(type),
                ["shape"] = JsonSerializer.SerializeToNode(Shape),
            }),
        };
        using HttpResponseMessage response = await http.PostAsJsonAsync("/v2/models/copy/infer", request);
        string text = await response.Content.ReadAsStringAsync();
        Assert.That(response.IsSuccessStatusCode, text);
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(text)!["outputs"]![0]!["data"], data), text);
    }

    private static ModelInferRequest Request(TensorElementType type)
    {
        var request = new ModelInferRequest { ModelName = "copy" };
        var input = new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = Datatypes.NameOf(type) };
        input.Shape.Add(Shape);
        request.Inputs.Add(input);
        return request;
    }

    private static byte[] BytesOf(Tensor tensor)
    {
        if (tensor.ElementType != TensorElementType.String)
            return tensor.Bytes.ToArray();
        int length = (int)StringTensorCodec.EncodedBytes(tensor);
        using System.Buffers.IMemoryOwner<byte> owner = StringTensorCodec.Encode(tensor, length, TensorBufferPool.Shared);
        return owner.Memory.ToArray();
    }

    // A NaN's bits need not come back from text.
    private static bool IsFinite(Tensor tensor)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
            JsonTensors.Write(writer, tensor);
        return tensor.ElementType == TensorElementType.String || !Encoding.UTF8.GetString(stream.ToArray()).Contains('"', StringComparison.Ordinal);
    }

    private static IEnumerable<TensorElementType> Types() => Enum.GetValues<TensorElementType>().Where(static type => type != TensorElementType.Undefined);
}

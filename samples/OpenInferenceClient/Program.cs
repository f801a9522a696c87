// Standard clients of the Open Inference Protocol (KServe v2, Triton) against a model that is split over two agents. Neither client
// uses anything of EdgeSplit: RestClient.cs is HttpClient and JSON, GrpcClient.cs is made from the published .proto.
//   OpenInferenceClient                               serves MobileNetV2 in this process and asks it
//   OpenInferenceClient REST-URL GRPC-URL MODEL INPUT asks a server that runs elsewhere, INPUT being [1, 3, 224, 224]
using System.Runtime.InteropServices;
using OpenInferenceClient;

await using SplitServer? server = args.Length == 0 ? await SplitServer.StartAsync() : null;
if (server is null && args.Length != 4)
{
    Console.Error.WriteLine("usage: OpenInferenceClient [REST-URL GRPC-URL MODEL INPUT]");
    return 2;
}
(string rest, string grpc, string model, string input) = server is null
    ? (args[0], args[1], args[2], args[3])
    : (server.RestAddress, server.GrpcAddress, server.Model, server.Input);

var random = new Random(5);
float[] picture = [.. Enumerable.Range(0, 3 * 224 * 224).Select(_ => random.NextSingle())];
using var restClient = new RestClient(rest);
using var grpcClient = new GrpcClient(grpc);
Console.WriteLine($"REST: {await restClient.DescribeAsync(model)}");
Console.WriteLine($"gRPC: {await grpcClient.DescribeAsync(model)}");
float[] overRest = await restClient.InferAsync(model, input, [1, 3, 224, 224], picture);
float[] overGrpc = await grpcClient.InferAsync(model, input, [1, 3, 224, 224], picture);
bool same = MemoryMarshal.AsBytes<float>(overRest).SequenceEqual(MemoryMarshal.AsBytes<float>(overGrpc));
Console.WriteLine($"{overRest.Length} results, the largest at {Array.IndexOf(overRest, overRest.Max())}; REST and gRPC give {(same ? "the same bits" : "DIFFERENT results")}");
return same ? 0 : 1;

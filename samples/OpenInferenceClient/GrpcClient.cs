using System.Runtime.InteropServices;
using EdgeSplit.Grpc.OpenInference.V2;
using Google.Protobuf;
using Grpc.Net.Client;

namespace OpenInferenceClient;

/// <summary>The Open Inference Protocol over gRPC, from the published .proto, which also gives the messages' namespace.</summary>
internal sealed class GrpcClient : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly GRPCInferenceService.GRPCInferenceServiceClient _service;

    public GrpcClient(string address)
    {
        _channel = GrpcChannel.ForAddress(address);
        _service = new GRPCInferenceService.GRPCInferenceServiceClient(_channel);
    }

    public async Task<string> DescribeAsync(string model)
    {
        ModelMetadataResponse metadata = await _service.ModelMetadataAsync(new ModelMetadataRequest { Name = model });
        return $"{metadata.Name} ({metadata.Platform}) gives {string.Join(", ", metadata.Outputs.Select(static output => $"{output.Name} {output.Datatype} {output.Shape}"))}";
    }

    /// <summary>Runs the model with one input of 32-bit floats, and gives its first output. Bytes travel as they are, not as numbers of a message.</summary>
    public async Task<float[]> InferAsync(string model, string input, long[] shape, float[] values)
    {
        var request = new ModelInferRequest { ModelName = model };
        request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = input, Datatype = "FP32", Shape = { shape } });
        request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(values)));
        ModelInferResponse response = await _service.ModelInferAsync(request);
        return MemoryMarshal.Cast<byte, float>(response.RawOutputContents[0].Span).ToArray();
    }

    public void Dispose() => _channel.Dispose();
}

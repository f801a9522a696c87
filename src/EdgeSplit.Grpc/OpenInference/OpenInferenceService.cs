using System.Buffers;
using System.Threading.Channels;
using EdgeSplit.Coordination;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>The protocol over gRPC.</summary>
/// <remarks>One object serves all calls.</remarks>
internal sealed class OpenInferenceService(InferenceServer server, GrpcServiceOptions options) : V2.GRPCInferenceService.GRPCInferenceServiceBase
{
    private const int RequestsOfAStreamAtATime = 16;

    public override Task<V2.ServerLiveResponse> ServerLive(V2.ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new V2.ServerLiveResponse { Live = true });

    public override Task<V2.ServerReadyResponse> ServerReady(V2.ServerReadyRequest request, ServerCallContext context) =>
        Task.FromResult(new V2.ServerReadyResponse { Ready = server.IsReady });

    public override Task<V2.ModelReadyResponse> ModelReady(V2.ModelReadyRequest request, ServerCallContext context) =>
        Task.FromResult(new V2.ModelReadyResponse { Ready = server.Models.Find(request.Name, request.Version).IsReady });

    public override Task<V2.ServerMetadataResponse> ServerMetadata(V2.ServerMetadataRequest request, ServerCallContext context)
    {
        var response = new V2.ServerMetadataResponse { Name = InferenceServer.Name, Version = InferenceServer.Version };
        response.Extensions.Add(InferenceServer.Extensions);
        return Task.FromResult(response);
    }

    public override Task<V2.ModelMetadataResponse> ModelMetadata(V2.ModelMetadataRequest request, ServerCallContext context) =>
        Task.FromResult(InferenceServer.MetadataOf(server.Models.Find(request.Name, request.Version), server.Models.VersionsOf(request.Name)));

    public override Task<V2.ModelStatisticsResponse> ModelStatistics(V2.ModelStatisticsRequest request, ServerCallContext context)
    {
        var response = new V2.ModelStatisticsResponse();
        response.ModelStats.Add(server.StatisticsOf(request.Name, request.Version));
        return Task.FromResult(response);
    }

    public override Task<V2.RepositoryIndexResponse> RepositoryIndex(V2.RepositoryIndexRequest request, ServerCallContext context)
    {
        var response = new V2.RepositoryIndexResponse();
        response.Models.Add(server.Models.All.Select(static model =>
            new V2.RepositoryIndexResponse.Types.ModelIndex { Name = model.Name, Version = model.VersionText, State = model.State, Reason = model.Reason }));
        return Task.FromResult(response);
    }

    public override Task<V2.ModelInferResponse> ModelInfer(V2.ModelInferRequest request, ServerCallContext context) =>
        InferAsync(request, context.GetHttpContext(), context.CancellationToken);

    public override async Task ModelStreamInfer(
        IAsyncStreamReader<V2.ModelInferRequest> requestStream, IServerStreamWriter<V2.ModelStreamInferResponse> responseStream, ServerCallContext context)
    {
        // Requests run side by side, and their answers keep the requests' order.
        var answers = Channel.CreateBounded<Task<V2.ModelStreamInferResponse>>(RequestsOfAStreamAtATime);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        Task reading = ReadAsync();
        try
        {
            await foreach (Task<V2.ModelStreamInferResponse> answer in answers.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false))
                await responseStream.WriteAsync(await answer.ConfigureAwait(false), context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (answers.Reader.TryRead(out Task<V2.ModelStreamInferResponse>? unread))
                await ((Task)unread).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task ReadAsync()
        {
            Exception? failure = null;
            try
            {
                while (await requestStream.MoveNext(ending.Token).ConfigureAwait(false))
                    await answers.Writer.WriteAsync(AnswerAsync(requestStream.Current, context.GetHttpContext(), ending.Token), ending.Token).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
            answers.Writer.TryComplete(failure);
        }
    }

    private async Task<V2.ModelStreamInferResponse> AnswerAsync(V2.ModelInferRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        try
        {
            return new V2.ModelStreamInferResponse { InferResponse = await InferAsync(request, context, cancellationToken).ConfigureAwait(false) };
        }
        catch (EdgeSplitException exception)
        {
            return new V2.ModelStreamInferResponse
            {
                ErrorMessage = exception.Message,
                InferResponse = new V2.ModelInferResponse { Id = request.Id, ModelName = request.ModelName, ModelVersion = request.ModelVersion },
            };
        }
    }

    private async Task<V2.ModelInferResponse> InferAsync(V2.ModelInferRequest request, HttpContext context, CancellationToken cancellationToken)
    {
        ServedModel model = server.Models.Find(request.ModelName, request.ModelVersion);
        var inputs = new Dictionary<string, Tensor>(request.Inputs.Count);
        try
        {
            ReadInputs(request, inputs);
            string[] wanted = [.. request.Outputs.Select(OutputName)];
            (FinalResult result, KeyValuePair<string, Tensor>[] outputs) = await server.RunAsync(model, inputs, context, wanted, cancellationToken).ConfigureAwait(false);
            using (result)
            {
                var response = new V2.ModelInferResponse { Id = request.Id, ModelName = model.Name, ModelVersion = model.VersionText };
                bool isRaw = request.RawInputContents.Count > 0 || outputs.Any(static output => !TypedContents.CanCarry(output.Value.ElementType));
                foreach ((string name, Tensor tensor) in outputs)
                    AddOutput(response, name, tensor, isRaw);
                return response;
            }
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    private void ReadInputs(V2.ModelInferRequest request, Dictionary<string, Tensor> inputs)
    {
        bool isRaw = request.RawInputContents.Count > 0;
        if (isRaw && request.RawInputContents.Count != request.Inputs.Count)
        {
            throw new EdgeSplitException(
                EdgeSplitError.InvalidInput, $"There are {request.RawInputContents.Count} raw_input_contents for {request.Inputs.Count} inputs; send one for each, or none.");
        }
        for (int i = 0; i < request.Inputs.Count; i++)
        {
            V2.ModelInferRequest.Types.InferInputTensor input = request.Inputs[i];
            if (input.Parameters.ContainsKey("shared_memory_region"))
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{input.Name}' is in shared memory, which this server does not use; send its bytes.");
            if (inputs.ContainsKey(input.Name))
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{input.Name}' is there twice.");
            if (isRaw && input.Contents is not null)
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Input '{input.Name}' has contents although the request has raw_input_contents; send one of them.");
            TensorElementType type = Datatypes.Parse(input.Datatype, input.Name);
            TensorShape shape = RawContents.ShapeOf(input.Name, input.Shape);
            inputs.Add(input.Name, isRaw
                ? RawContents.Wrap(input.Name, type, shape, request.RawInputContents[i].Memory)
                : TypedContents.Read(input.Name, type, shape, input.Contents, options.Pool));
        }
    }

    private static string OutputName(V2.ModelInferRequest.Types.InferRequestedOutputTensor output)
    {
        foreach (string parameter in (string[])["classification", "shared_memory_region"])
        {
            if (output.Parameters.ContainsKey(parameter))
                throw new EdgeSplitException(EdgeSplitError.InvalidInput, $"Output '{output.Name}' asks for '{parameter}', which this server does not offer.");
        }
        return output.Name;
    }

    private void AddOutput(V2.ModelInferResponse response, string name, Tensor tensor, bool isRaw)
    {
        var output = new V2.ModelInferResponse.Types.InferOutputTensor { Name = name, Datatype = Datatypes.NameOf(tensor.ElementType) };
        output.Shape.Add(tensor.Shape.Dimensions);
        if (!isRaw)
            output.Contents = TypedContents.Write(tensor);
        response.Outputs.Add(output);
        if (!isRaw)
            return;
        // The response is written after the tensor is gone, so its bytes are copied.
        if (tensor.ElementType != TensorElementType.String)
        {
            response.RawOutputContents.Add(ByteString.CopyFrom(tensor.Bytes.Span));
            return;
        }
        using IMemoryOwner<byte> strings = StringTensorCodec.Encode(tensor, checked((int)StringTensorCodec.EncodedBytes(tensor)), options.Pool);
        response.RawOutputContents.Add(ByteString.CopyFrom(strings.Memory.Span));
    }
}

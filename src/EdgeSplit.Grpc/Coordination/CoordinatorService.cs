using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace EdgeSplit.Grpc.Coordination;

/// <summary>Serves a coordinator's deployments to clients.</summary>
/// <remarks>One object serves all calls.</remarks>
internal sealed class CoordinatorService(Coordinator coordinator, GrpcServiceOptions options) : V1.Coordinator.CoordinatorBase
{
    private readonly BufferBudget _budget = BufferBudget.Of(options);

    public override Task<V1.ListModelsResponse> ListModels(V1.ListModelsRequest request, ServerCallContext context)
    {
        var response = new V1.ListModelsResponse();
        response.Models.Add(coordinator.Deployments.Select(ToMessage));
        return Task.FromResult(response);
    }

    public override async Task Infer(
        IAsyncStreamReader<V1.InferenceRequest> requestStream, IServerStreamWriter<V1.FinalResult> responseStream, ServerCallContext context)
    {
        using var receiver = new TensorReceiver(options.Pool, options.MaxTensorBytes, _budget.For(context.GetHttpContext().Connection.RemoteIpAddress));
        V1.InferenceRequest request = await receiver.ReceiveAsync(requestStream, context.CancellationToken).ConfigureAwait(false);
        Deployment deployment = coordinator.Deployments.FirstOrDefault(deployment => deployment.Name == request.ModelName)
            ?? throw new EdgeSplitException(EdgeSplitError.NotFound, $"No model '{request.ModelName}' is deployed. ListModels tells which are.");
        Dictionary<string, Tensor> inputs = receiver.Take();
        try
        {
            using FinalResult result = await deployment.InferAsync(inputs, ClientName.Of(context.GetHttpContext(), options), context.CancellationToken).ConfigureAwait(false);
            var first = new V1.FinalResult
            {
                RequestId = request.RequestId.IsEmpty ? result.RequestId.ToMessage() : request.RequestId,
                ModelName = deployment.Name,
                Epoch = result.Epoch,
                Latency = result.Latency.ToDuration(),
            };
            first.Stages.Add(result.Stages.Select(static stage => new V1.StageTiming
            {
                Stage = stage.Stage,
                AgentId = stage.AgentId,
                Started = stage.Started.ToDuration(),
                Total = stage.Total.ToDuration(),
                Compute = stage.Compute.ToDuration(),
                Queue = stage.Queue.ToDuration(),
            }));
            await TensorSender.SendAsync(responseStream, first, result.Outputs, options.Pool, context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            inputs.DisposeTensors();
        }
    }

    private static V1.DeployedModel ToMessage(Deployment deployment)
    {
        PartitionPlan plan = deployment.Plan;
        var model = new V1.DeployedModel { Name = deployment.Name, Epoch = deployment.Epoch };
        model.Inputs.Add(deployment.Inputs.Select(static info => info.ToMessage()));
        model.Outputs.Add(deployment.Outputs.Select(static info => info.ToMessage()));
        model.Stages.Add(plan.Stages.Select(stage => new V1.Stage
        {
            AgentId = plan.Fleet.Devices[stage.Device].Id,
            LayerCount = stage.Layers.Length,
        }));
        return model;
    }
}

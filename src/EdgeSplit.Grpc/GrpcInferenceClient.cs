using System.Collections.Immutable;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Tensors;
using Grpc.Core;
using Grpc.Net.Client;

namespace EdgeSplit.Grpc;

/// <summary>Runs the models that a coordinator in another process has deployed.</summary>
/// <remarks>Thread-safe; many calls share a connection, which is made with the first call and again when it was lost.</remarks>
public sealed class GrpcInferenceClient : IDisposable
{
    private readonly GrpcConnectOptions _options;
    private readonly GrpcChannel _channel;
    private readonly V1.Coordinator.CoordinatorClient _client;
    private readonly CallRules _calls;

    /// <summary>Creates a client; it connects with the first call.</summary>
    /// <param name="address">Such as <c>http://192.0.2.1:7400</c> or <c>https://coordinator.local:7400</c>.</param>
    /// <param name="options">How to connect; null for the defaults.</param>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.InvalidArgument"/>: not an address; <see cref="EdgeSplitError.AccessDenied"/>:
    /// the token would be sent in the clear.</exception>
    public GrpcInferenceClient(string address, GrpcConnectOptions? options = null)
    {
        _options = options ?? new GrpcConnectOptions();
        _channel = Channels.Create(address, _options);
        _client = new V1.Coordinator.CoordinatorClient(_channel);
        _calls = new CallRules(_options, $"The coordinator at {address}", CancellationToken.None);
    }

    /// <summary>The models that are deployed.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.AgentUnavailable"/>: the coordinator cannot be reached.</exception>
    public async ValueTask<ImmutableArray<RemoteModel>> ListModelsAsync(CancellationToken cancellationToken = default)
    {
        using CallScope scope = _calls.Begin(cancellationToken);
        return await scope.RunAsync(async () =>
        {
            V1.ListModelsResponse response = await _client.ListModelsAsync(new V1.ListModelsRequest(), scope.Options).ConfigureAwait(false);
            return response.Models.Select(static model => new RemoteModel(
                model.Name,
                model.Epoch,
                [.. model.Inputs.Select(static info => info.ToInfo())],
                [.. model.Outputs.Select(static info => info.ToInfo())],
                [.. model.Stages.Select(static stage => stage.AgentId)])).ToImmutableArray();
        }).ConfigureAwait(false);
    }

    /// <summary>Runs a model once.</summary>
    /// <param name="modelName">The name of a deployed model.</param>
    /// <param name="inputs">Every input by name; borrowed until the call completes.</param>
    /// <param name="cancellationToken">Ends the request, on the coordinator too.</param>
    /// <returns>The outputs, for the caller to dispose of; times are the coordinator's.</returns>
    /// <exception cref="EdgeSplitException">As of <see cref="Deployment.InferAsync(IReadOnlyDictionary{string, Tensor}, RequestOptions, CancellationToken)"/>, or <see cref="EdgeSplitError.NotFound"/>: no such model.</exception>
    public async ValueTask<FinalResult> InferAsync(
        string modelName, IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelName);
        ArgumentNullException.ThrowIfNull(inputs);
        using CallScope scope = _calls.Begin(cancellationToken);
        return await scope.RunAsync(async () =>
        {
            var first = new V1.InferenceRequest { ModelName = modelName };
            using AsyncDuplexStreamingCall<V1.InferenceRequest, V1.FinalResult> call = _client.Infer(scope.Options);
            (V1.FinalResult result, Dictionary<string, Tensor> outputs) = await TensorExchange.RunAsync(
                call, first, inputs, _options, scope.Options.CancellationToken).ConfigureAwait(false);
            ImmutableArray<StageTiming> stages =
            [
                .. result.Stages.Select(static stage => new StageTiming(
                    stage.Stage, stage.AgentId, stage.Started.ToTime(), stage.Total.ToTime(), stage.Compute.ToTime(), stage.Queue.ToTime())),
            ];
            return new FinalResult(result.RequestId.ToGuid(), outputs, result.Epoch, result.Latency.ToTime(), stages);
        }).ConfigureAwait(false);
    }

    /// <summary>Ends the calls under way and the connection.</summary>
    public void Dispose()
    {
        _calls.CloseAsync().GetAwaiter().GetResult();
        _channel.Dispose();
    }
}

using System.Reflection;
using System.Runtime.CompilerServices;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Coordination;
using EdgeSplit.Tensors;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>What the protocol says of a coordinator, whichever way it is asked.</summary>
internal sealed class InferenceServer(Coordinator coordinator, GrpcServiceOptions options)
{
    public const string Name = "edgesplit";

    private readonly ConditionalWeakTable<Deployment, ModelCounters> _counters = [];

    public static string Version { get; } = typeof(InferenceServer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    public static string[] Extensions { get; } = ["binary_tensor_data", "statistics"];

    public ServedModels Models { get; } = new(coordinator);

    /// <summary>Whether there is something to ask, and all of it would answer.</summary>
    public bool IsReady => coordinator.Deployments is { IsEmpty: false } deployments && deployments.All(static deployment => deployment.IsServing);

    /// <summary>Runs a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="inputs">The inputs; borrowed.</param>
    /// <param name="context">The call that asks.</param>
    /// <param name="outputs">The names of the outputs that are wanted; none for all.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <returns>The result, and the outputs that are wanted in their order.</returns>
    public async ValueTask<(FinalResult Result, KeyValuePair<string, Tensor>[] Outputs)> RunAsync(
        ServedModel model, IReadOnlyDictionary<string, Tensor> inputs, HttpContext context, IReadOnlyList<string> outputs, CancellationToken cancellationToken)
    {
        ModelCounters counters = CountersOf(model);
        long started = options.TimeProvider.GetTimestamp();
        try
        {
            foreach (string output in outputs)
            {
                if (!model.Deployment.Outputs.Any(info => info.Name == output))
                {
                    throw new EdgeSplitException(
                        EdgeSplitError.InvalidInput,
                        $"Model '{model.Name}' has no output '{output}', but {string.Join(", ", model.Deployment.Outputs.Select(static info => $"'{info.Name}'"))}.");
                }
            }
            FinalResult result = await model.Deployment.InferAsync(inputs, ClientName.Of(context, options), cancellationToken).ConfigureAwait(false);
            counters.Succeeded(options.TimeProvider.GetElapsedTime(started), result);
            IEnumerable<string> wanted = outputs.Count > 0 ? outputs : model.Deployment.Outputs.Select(static info => info.Name);
            return (result, [.. wanted.Select(name => KeyValuePair.Create(name, result.Outputs[name]))]);
        }
        catch
        {
            counters.Failed(options.TimeProvider.GetElapsedTime(started));
            throw;
        }
    }

    /// <summary>The statistics of one model, of all of its versions where none is named, or of all models.</summary>
    public IEnumerable<V2.ModelStatistics> StatisticsOf(string? name, string? version)
    {
        IEnumerable<ServedModel> models = string.IsNullOrEmpty(name) ? Models.All
            : string.IsNullOrEmpty(version) && Models.VersionsOf(name) is { IsEmpty: false } versions ? versions
            : [Models.Find(name, version)];
        return models.Select(model => CountersOf(model).Read(model));
    }

    public static V2.ModelMetadataResponse MetadataOf(ServedModel model, IEnumerable<ServedModel> versions)
    {
        var response = new V2.ModelMetadataResponse { Name = model.Name, Platform = ServedModel.Platform };
        response.Versions.Add(versions.Select(static version => version.VersionText));
        response.Inputs.Add(model.Deployment.Inputs.Select(Describe));
        response.Outputs.Add(model.Deployment.Outputs.Select(Describe));
        return response;
    }

    private ModelCounters CountersOf(ServedModel model) => _counters.GetValue(model.Deployment, _ => new ModelCounters(options.TimeProvider));

    private static V2.ModelMetadataResponse.Types.TensorMetadata Describe(TensorInfo info)
    {
        var tensor = new V2.ModelMetadataResponse.Types.TensorMetadata { Name = info.Name, Datatype = Datatypes.NameOf(info.ElementType) };
        if (!info.Dimensions.IsDefault)
            tensor.Shape.Add(info.Dimensions.Select(static dimension => dimension.Size ?? -1));
        return tensor;
    }
}

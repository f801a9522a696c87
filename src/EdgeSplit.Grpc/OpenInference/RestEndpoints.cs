using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Messages;
using EdgeSplit.Tensors;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.OpenInference;

/// <summary>The protocol over REST.</summary>
internal sealed class RestEndpoints(InferenceServer server, GrpcServiceOptions options)
{
    // The messages of the gRPC side say the same in the same words.
    private static readonly Lazy<byte[]> Description = new(ReadDescription);

    private readonly BufferBudget _budget = BufferBudget.Of(options);
    private readonly ILogger _logger = options.CreateLogger<RestEndpoints>();

    /// <summary>Maps everything below <c>/v2</c>.</summary>
    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints)
    {
        RouteGroupBuilder root = endpoints.MapGroup("/v2");
        Get(root, "", static _ => new V2.ServerMetadataResponse
        {
            Name = InferenceServer.Name,
            Version = InferenceServer.Version,
            Extensions = { InferenceServer.Extensions },
        });
        root.MapGet("/openapi.json", static context => WriteAsync(context, "application/json", Description.Value));
        root.MapGet("/health/live", static context => WriteStateAsync(context, "live", true));
        root.MapGet("/health/ready", context => WriteStateAsync(context, "ready", server.IsReady));
        root.MapPost("/repository/index", Guarded(WriteIndexAsync));
        Get(root, "/models/stats", _ => Statistics(null, null));
        foreach (string model in (string[])["/models/{model}", "/models/{model}/versions/{version}"])
        {
            Get(root, model, context => InferenceServer.MetadataOf(Find(context), server.Models.VersionsOf(Value(context, "model")!)));
            Get(root, model + "/stats", context => Statistics(Value(context, "model"), Value(context, "version")));
            root.MapGet(model + "/ready", Guarded(context => context.Response.WriteAsJsonAsync(
                new Dictionary<string, object> { ["name"] = Find(context).Name, ["ready"] = true }, context.RequestAborted)));
            root.MapPost(model + "/infer", Guarded(InferAsync));
        }
        return root;
    }

    private void Get(RouteGroupBuilder root, string pattern, Func<HttpContext, IMessage> answer) => root.MapGet(
        pattern, Guarded(context => WriteAsync(context, "application/json", MessageJson.Write(answer(context)))));

    private async Task InferAsync(HttpContext context)
    {
        ServedModel model = Find(context);
        using BufferReservation reservation = _budget.For(context.Connection.RemoteIpAddress);
        using RestRequest request = await RestBody.ReadAsync(context.Request, options, reservation, context.RequestAborted).ConfigureAwait(false);
        (FinalResult result, KeyValuePair<string, Tensor>[] outputs) =
            await server.RunAsync(model, request.Inputs, context, request.Outputs, context.RequestAborted).ConfigureAwait(false);
        using (result)
            await RestBody.WriteAsync(context.Response, model, request, outputs, options.Pool, context.RequestAborted).ConfigureAwait(false);
    }

    private Task WriteIndexAsync(HttpContext context) => context.Response.WriteAsJsonAsync(
        server.Models.All.Select(static model => new Dictionary<string, string> { ["name"] = model.Name, ["version"] = model.VersionText, ["state"] = "READY", ["reason"] = "" }),
        context.RequestAborted);

    private V2.ModelStatisticsResponse Statistics(string? name, string? version)
    {
        var response = new V2.ModelStatisticsResponse();
        response.ModelStats.Add(server.StatisticsOf(name, version));
        return response;
    }

    private ServedModel Find(HttpContext context) => server.Models.Find(Value(context, "model")!, Value(context, "version"));

    private static string? Value(HttpContext context, string name) => context.Request.RouteValues[name] as string;

    /// <summary>Tells failures as the protocol does: a status, and JSON with an <c>error</c>.</summary>
    private RequestDelegate Guarded(RequestDelegate handler) => async context =>
    {
        try
        {
            await handler(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (EdgeSplitException exception) when (!context.Response.HasStarted)
        {
            await WriteErrorAsync(context, StatusOf(exception.Error), exception.Message).ConfigureAwait(false);
        }
        catch (ObjectDisposedException) when (!context.Response.HasStarted)
        {
            await WriteErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "The model is being withdrawn.").ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not BadHttpRequestException && !context.Response.HasStarted)
        {
            GrpcLog.CallFailed(_logger, context.Request.Path, exception);
            await WriteErrorAsync(context, StatusCodes.Status500InternalServerError, "The server failed unexpectedly; its log tells more.").ConfigureAwait(false);
        }
    };

    private static int StatusOf(EdgeSplitError error) => error switch
    {
        EdgeSplitError.InvalidArgument or EdgeSplitError.InvalidInput => StatusCodes.Status400BadRequest,
        EdgeSplitError.AccessDenied => StatusCodes.Status403Forbidden,
        EdgeSplitError.NotFound => StatusCodes.Status404NotFound,
        EdgeSplitError.Overloaded => StatusCodes.Status429TooManyRequests,
        EdgeSplitError.AgentUnavailable or EdgeSplitError.ResourceExhausted or EdgeSplitError.NoFeasiblePlan => StatusCodes.Status503ServiceUnavailable,
        EdgeSplitError.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static Task WriteErrorAsync(HttpContext context, int status, string message)
    {
        context.Response.Clear();
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["error"] = message });
    }

    private static Task WriteStateAsync(HttpContext context, string name, bool value)
    {
        // The protocol asks for a status of the 400s where the answer is no.
        context.Response.StatusCode = value ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest;
        return context.Response.WriteAsJsonAsync(new Dictionary<string, bool> { [name] = value });
    }

    private static Task WriteAsync(HttpContext context, string contentType, byte[] body)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static byte[] ReadDescription()
    {
        using Stream stream = typeof(RestEndpoints).Assembly.GetManifestResourceStream("openapi.json")!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}

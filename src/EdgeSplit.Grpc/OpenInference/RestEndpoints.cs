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

    private static readonly string[] Reading = ["GET", "HEAD"];
    private static readonly string[] Running = ["POST"];

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
        Route(root, "/openapi.json", Reading, static context => WriteAsync(context, "application/json", Description.Value));
        Route(root, "/health/live", Reading, static context => WriteStateAsync(context, "live", true));
        Route(root, "/health/ready", Reading, context => WriteStateAsync(context, "ready", server.IsReady));
        Route(root, "/repository/index", Running, WriteIndexAsync);
        Get(root, "/models/stats", _ => Statistics(null, null));
        foreach (string model in (string[])["/models/{model}", "/models/{model}/versions/{version}"])
        {
            Get(root, model, context => InferenceServer.MetadataOf(Find(context), server.Models.VersionsOf(Value(context, "model")!)));
            Get(root, model + "/stats", context => Statistics(Value(context, "model"), Value(context, "version")));
            Route(root, model + "/ready", Reading, WriteModelStateAsync);
            Route(root, model + "/infer", Running, InferAsync);
        }
        root.Map("/{**path}", context => WriteErrorAsync(context, StatusCodes.Status404NotFound, $"Nothing is at '{context.Request.Path}'; /v2/openapi.json describes what is."));
        return root;
    }

    private void Get(RouteGroupBuilder root, string pattern, Func<HttpContext, IMessage> answer) =>
        Route(root, pattern, Reading, context => WriteAsync(context, "application/json", MessageJson.Write(answer(context))));

    /// <summary>Maps a path. Its other methods are refused as the protocol refuses things, which the web server alone would not do.</summary>
    private void Route(RouteGroupBuilder root, string pattern, string[] methods, RequestDelegate handler)
    {
        root.MapMethods(pattern, methods, Guarded(handler));
        root.Map(pattern, context =>
        {
            context.Response.Headers.Allow = string.Join(", ", methods);
            return WriteErrorAsync(context, StatusCodes.Status405MethodNotAllowed, $"'{context.Request.Path}' takes {string.Join(" and ", methods)}, not {context.Request.Method}.");
        });
    }

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
        server.Models.All.Select(static model => new Dictionary<string, string> { ["name"] = model.Name, ["version"] = model.VersionText, ["state"] = model.State, ["reason"] = model.Reason }),
        context.RequestAborted);

    private Task WriteModelStateAsync(HttpContext context)
    {
        ServedModel model = Find(context);
        context.Response.StatusCode = StatusOf(model.IsReady);
        return context.Response.WriteAsJsonAsync(new Dictionary<string, object> { ["name"] = model.Name, ["ready"] = model.IsReady }, context.RequestAborted);
    }

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
            context.Response.Clear();
            await WriteErrorAsync(context, StatusOf(exception.Error), exception.Message).ConfigureAwait(false);
        }
        catch (ObjectDisposedException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await WriteErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "The model is being withdrawn.").ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not BadHttpRequestException && !context.Response.HasStarted)
        {
            GrpcLog.CallFailed(_logger, context.Request.Path, exception);
            context.Response.Clear();
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
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["error"] = message });
    }

    private static Task WriteStateAsync(HttpContext context, string name, bool value)
    {
        context.Response.StatusCode = StatusOf(value);
        return context.Response.WriteAsJsonAsync(new Dictionary<string, bool> { [name] = value });
    }

    // The protocol asks for a status of the 400s where the answer is no.
    private static int StatusOf(bool isReady) => isReady ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest;

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

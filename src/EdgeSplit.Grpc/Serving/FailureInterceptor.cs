using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Grpc.Messages;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Serving;

/// <summary>Gives every call a span under the caller's, and tells failures as rich status.</summary>
internal sealed class FailureInterceptor(ILogger<FailureInterceptor> logger) : Interceptor
{
    private static readonly ActivitySource Source = new(EdgeSplitTelemetry.SourceName);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(requestStream, context));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream,
        ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, async () =>
        {
            await continuation(requestStream, responseStream, context).ConfigureAwait(false);
            return true;
        });

    private async Task<T> GuardAsync<T>(ServerCallContext context, Func<Task<T>> call)
    {
        using Activity? activity = StartActivity(context);
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, (exception as EdgeSplitException)?.Error.ToString());
            throw Translate(exception, context);
        }
    }

    private RpcException Translate(Exception exception, ServerCallContext context)
    {
        switch (exception)
        {
            case RpcException known:
                return known;
            case EdgeSplitException failure:
                return failure.ToRpcException();
            case ObjectDisposedException:
                return new EdgeSplitException(EdgeSplitError.AgentUnavailable, "The server is shutting down.").ToRpcException();
            case Exception when context.CancellationToken.IsCancellationRequested:
                return new RpcException(context.Deadline <= DateTime.UtcNow
                    ? new Status(StatusCode.DeadlineExceeded, "The call's deadline has passed.")
                    : new Status(StatusCode.Cancelled, "The call was cancelled."));
            case OperationCanceledException:
                return new EdgeSplitException(EdgeSplitError.AgentUnavailable, "The server is shutting down.").ToRpcException();
            default:
                // What went wrong inside is for the server's log, not for callers.
                GrpcLog.CallFailed(logger, context.Method, exception);
                return new EdgeSplitException(EdgeSplitError.Internal, "The server failed unexpectedly; its log tells more.").ToRpcException();
        }
    }

    private static Activity? StartActivity(ServerCallContext context)
    {
        if (!Source.HasListeners())
            return null;
        string name = "edgesplit.grpc" + context.Method;
        // The web server's own span, where something listens to it, is under the caller's already.
        if (Activity.Current is { } current)
            return Source.StartActivity(name, ActivityKind.Server, current.Context);
        ActivityContext.TryParse(
            context.RequestHeaders.GetValue("traceparent"), context.RequestHeaders.GetValue("tracestate"), isRemote: true, out ActivityContext parent);
        return Source.StartActivity(name, ActivityKind.Server, parent);
    }
}

using EdgeSplit.Tensors;
using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>One request with tensors and its answer, seen from the asking side.</summary>
internal static class TensorExchange
{
    /// <summary>Sends a request while its answer is awaited, as a server may answer before it has read all.</summary>
    /// <returns>The answer's first part and its tensors, which belong to the caller.</returns>
    public static async Task<(TResponse First, Dictionary<string, Tensor> Tensors)> RunAsync<TRequest, TResponse>(
        AsyncDuplexStreamingCall<TRequest, TResponse> call,
        TRequest request,
        IReadOnlyDictionary<string, Tensor> tensors,
        GrpcOptions options,
        CancellationToken cancellationToken)
        where TRequest : class, ITensorMessage, new()
        where TResponse : class, ITensorMessage
    {
        using var receiver = new TensorReceiver(options.Pool, options.MaxTensorBytes);
        Task sending = SendAsync(call.RequestStream, request, tensors, options, cancellationToken);
        try
        {
            TResponse first = await receiver.ReceiveAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false);
            return (first, receiver.Take());
        }
        catch (EdgeSplitException) when (sending.IsFaulted && sending.Exception.InnerException is EdgeSplitException)
        {
            // The server only says that the request broke off; why is known here.
            await sending.ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (!sending.IsCompleted)
                call.Dispose();
            // The tensors are only borrowed, so nothing may read them any more.
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Reads an answer to its end, for the failure that stands there.</summary>
    public static async Task DrainAsync<T>(IAsyncStreamReader<T> reader)
    {
        while (await reader.MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            // What came before the failure no longer counts.
        }
    }

    private static async Task SendAsync<T>(
        IClientStreamWriter<T> writer, T first, IReadOnlyDictionary<string, Tensor> tensors, GrpcOptions options, CancellationToken cancellationToken)
        where T : class, ITensorMessage, new()
    {
        await TensorSender.SendAsync(writer, first, tensors, options.Pool, cancellationToken).ConfigureAwait(false);
        await writer.CompleteAsync().ConfigureAwait(false);
    }
}

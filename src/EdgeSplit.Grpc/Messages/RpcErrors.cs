using System.Text;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace EdgeSplit.Grpc.Messages;

/// <summary>Failures as gRPC status with a <see cref="ErrorInfo"/> that keeps EdgeSplit's own code, and back.</summary>
internal static class RpcErrors
{
    public const string Domain = "edgesplit";

    private static readonly Dictionary<string, EdgeSplitError> ErrorsByReason = System.Enum.GetValues<EdgeSplitError>().ToDictionary(ReasonOf);

    /// <summary>The code's name in <c>UPPER_SNAKE_CASE</c>.</summary>
    public static string ReasonOf(EdgeSplitError error)
    {
        var reason = new StringBuilder();
        foreach (char letter in error.ToString())
        {
            if (char.IsUpper(letter) && reason.Length > 0)
                reason.Append('_');
            reason.Append(char.ToUpperInvariant(letter));
        }
        return reason.ToString();
    }

    /// <summary>The code of a reason; of one that only a newer peer knows, <see cref="EdgeSplitError.Internal"/>.</summary>
    public static EdgeSplitError ErrorOf(string reason) => ErrorsByReason.GetValueOrDefault(reason, EdgeSplitError.Internal);

    public static StatusCode CodeOf(EdgeSplitError error) => error switch
    {
        EdgeSplitError.InvalidArgument or EdgeSplitError.InvalidInput or EdgeSplitError.InvalidModel or EdgeSplitError.IllegalCut => StatusCode.InvalidArgument,
        EdgeSplitError.NotFound => StatusCode.NotFound,
        EdgeSplitError.UnsupportedModel => StatusCode.Unimplemented,
        EdgeSplitError.NoFeasiblePlan => StatusCode.FailedPrecondition,
        EdgeSplitError.AgentUnavailable => StatusCode.Unavailable,
        EdgeSplitError.Overloaded or EdgeSplitError.ResourceExhausted => StatusCode.ResourceExhausted,
        EdgeSplitError.DeadlineExceeded => StatusCode.DeadlineExceeded,
        EdgeSplitError.IntegrityFailure => StatusCode.DataLoss,
        EdgeSplitError.AccessDenied => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };

    public static RpcException ToRpcException(this EdgeSplitException exception)
    {
        var status = new Google.Rpc.Status
        {
            Code = (int)CodeOf(exception.Error),
            Message = exception.Message,
            Details = { Any.Pack(new ErrorInfo { Domain = Domain, Reason = ReasonOf(exception.Error) }) },
        };
        return status.ToRpcException();
    }

    /// <summary>The failure that a server meant, or that its silence means.</summary>
    /// <param name="exception">What gRPC says.</param>
    /// <param name="peer">Who was called, such as <c>Agent 'a'</c>.</param>
    public static EdgeSplitException ToEdgeSplitException(this RpcException exception, string peer)
    {
        ErrorInfo? info = null;
        try
        {
            info = exception.GetRpcStatus()?.GetDetail<ErrorInfo>();
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            // What the status alone says will do.
        }
        if (info is { Domain: Domain })
            return new EdgeSplitException(ErrorOf(info.Reason), exception.Status.Detail, exception);
        EdgeSplitError error = exception.StatusCode switch
        {
            StatusCode.InvalidArgument or StatusCode.OutOfRange => EdgeSplitError.InvalidArgument,
            StatusCode.DeadlineExceeded => EdgeSplitError.DeadlineExceeded,
            StatusCode.NotFound => EdgeSplitError.NotFound,
            StatusCode.PermissionDenied or StatusCode.Unauthenticated => EdgeSplitError.AccessDenied,
            StatusCode.ResourceExhausted => EdgeSplitError.ResourceExhausted,
            StatusCode.Unimplemented => EdgeSplitError.ProtocolViolation,
            StatusCode.DataLoss => EdgeSplitError.IntegrityFailure,
            // Also how HTTP/2 tells of a connection that broke.
            _ => EdgeSplitError.AgentUnavailable,
        };
        return new EdgeSplitException(error, $"{peer}: {exception.StatusCode}: {exception.Status.Detail}", exception);
    }
}

using EdgeSplit.Coordination;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc.Coordination;

/// <summary>Tells whose a request is, so that clients get their shares.</summary>
internal static class ClientName
{
    /// <summary>The header, of gRPC the metadata, with which a client names itself.</summary>
    public const string Header = "edgesplit-client";

    public static RequestOptions Of(HttpContext context, GrpcServiceOptions options) => new() { Client = options.ClientOf?.Invoke(context) ?? ByAddress(context) };

    /// <summary>The client's address, with the name that it gives itself where there is one: behind a proxy all have one address.</summary>
    private static string ByAddress(HttpContext context)
    {
        string address = context.Connection.RemoteIpAddress?.ToString() ?? "";
        return context.Request.Headers.TryGetValue(Header, out Microsoft.Extensions.Primitives.StringValues name) ? $"{address} {name}" : address;
    }
}

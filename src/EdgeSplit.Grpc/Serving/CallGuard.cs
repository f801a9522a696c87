using System.Net;
using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace EdgeSplit.Grpc.Serving;

/// <summary>Lets a call through to an endpoint, gRPC or REST, if its caller may make it.</summary>
internal sealed class CallGuard(GrpcServiceOptions options)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _tokenHash = options.Token is { } token ? SHA256.HashData(Encoding.UTF8.GetBytes(token)) : null;
    private readonly ILogger _logger = options.CreateLogger<CallGuard>();

    /// <summary>Puts the guard before endpoints.</summary>
    public void Protect(IEndpointConventionBuilder endpoints) => endpoints.Add(endpoint =>
    {
        RequestDelegate? inner = endpoint.RequestDelegate;
        if (inner is null)
            return;
        endpoint.RequestDelegate = context =>
        {
            // The web server's own limit on bodies is below what tensors take; ours are checked as they are read.
            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
                body.MaxRequestBodySize = null;
            string? refusal = RefusalOf(context);
            return refusal is null ? inner(context) : RefuseAsync(context, refusal);
        };
    });

    private string? RefusalOf(HttpContext context)
    {
        if (_tokenHash is null)
        {
            bool isLocal = context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
            if (isLocal && !options.DangerouslyAllowUnauthenticatedRemoteCalls && IsOfAnotherSite(context.Request))
                return "Without a token this server answers no pages of other sites. Set one, or ask from the site's own server.";
            return isLocal || context.Connection.ClientCertificate is not null || options.DangerouslyAllowUnauthenticatedRemoteCalls
                ? null
                : "Calls from other machines need a token or a client certificate, and this server has no token set.";
        }
        string? header = context.Request.Headers.Authorization;
        if (header is null || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return "This server asks for a token: send the header 'authorization: Bearer TOKEN'.";
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim()));
        return CryptographicOperations.FixedTimeEquals(hash, _tokenHash) ? null : "The token is wrong.";
    }

    // Whatever page a browser on this machine shows may send requests here, and says where it is from.
    private static bool IsOfAnotherSite(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? site) && site.IsLoopback);

    private Task RefuseAsync(HttpContext context, string refusal)
    {
        GrpcLog.CallRefused(_logger, context.Request.Path, context.Connection.RemoteIpAddress?.ToString() ?? "this machine", refusal);
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Bearer";
            return context.Response.WriteAsJsonAsync(new Dictionary<string, string> { ["error"] = refusal });
        }
        // A status without a body goes into the headers.
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.Unauthenticated).ToString(System.Globalization.CultureInfo.InvariantCulture);
        context.Response.Headers["grpc-message"] = Uri.EscapeDataString(refusal);
        return context.Response.CompleteAsync();
    }
}

using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Hosting.Dashboard;

/// <summary>Tells who may see and who may act.</summary>
internal sealed class DashboardGuard(DashboardOptions options)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _tokenHash = options.Token is { } token ? SHA256.HashData(Encoding.UTF8.GetBytes(token)) : null;

    /// <summary>Whether anyone may act.</summary>
    public bool AllowsActions => _tokenHash is not null;

    /// <summary>Why a caller may not see the dashboard; null where he may.</summary>
    public string? RefusalToSee(HttpContext context) =>
        IsLocal(context) || options.DangerouslyAllowRemoteViewers || HasToken(context) ? null
            : AllowsActions ? "Seeing the dashboard from another machine needs its token."
            : "The dashboard has no token set, and so is for this machine alone.";

    /// <summary>Why a caller may not act; null where he may.</summary>
    public string? RefusalToAct(HttpContext context) =>
        !AllowsActions ? "The dashboard is read-only: no token is set."
            : HasToken(context) ? null : "The token is missing or wrong.";

    // Hashes of one length are compared, in a time that does not depend on where they differ.
    private bool HasToken(HttpContext context) =>
        _tokenHash is not null
        && context.Request.Headers.Authorization.ToString() is var header
        && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim())), _tokenHash);

    private static bool IsLocal(HttpContext context) =>
        (context.Connection.RemoteIpAddress is not { } address || IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address))
        && IsOwnName(context.Request.Host.Host);

    // A page of somebody else's in a browser here may have its name lead to this machine, and so read what the browser gets.
    private static bool IsOwnName(string host) =>
        host.Length == 0 || IPAddress.TryParse(host, out _) || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase) || host.Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase);
}

using EdgeSplit.Hosting.Connections;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Validation;

internal sealed class GrpcHostOptionsValidator(HostedParts parts) : IValidateOptions<GrpcHostOptions>
{
    public ValidateOptionsResult Validate(string? name, GrpcHostOptions options)
    {
        var failures = new Failures(parts, EdgeSplitBuilder.GrpcPart);
        if (options.Listen is not null)
            failures.Try(nameof(options.Listen), () => GrpcConnections.ParseListen(options.Listen));
        CheckAddress(nameof(options.Join), options.Join);
        for (int i = 0; i < options.Agents.Count; i++)
            CheckAddress($"{nameof(options.Agents)}:{i}", options.Agents[i]);
        failures.CheckSecurity(options, options.Listen is not null);
        if (options.ClientTokenFile is not null)
            failures.Try(nameof(options.ClientTokenFile), () => new ConnectionSecurity { TokenFile = options.ClientTokenFile }.CreateJoinToken());
        failures.Check(options.MaxTensorBytes > 0, nameof(options.MaxTensorBytes), $"It must be more than 0, not {options.MaxTensorBytes}.");
        if (parts.HasCoordinator)
        {
            failures.Check(options.Join is null, nameof(options.Join), $"A coordinator joins none; it takes agents that do ({nameof(options.TakesAgents)}) or connects to {nameof(options.Agents)}.");
            failures.Check(options.Listen is null, nameof(options.Listen), "It is for an agent's port; a coordinator's services are mapped in a web application, on that one's ports.");
        }
        else
        {
            failures.Check(options.Agents.Count == 0, nameof(options.Agents), "Only a coordinator connects to agents; this application has none.");
            failures.Check(!options.TakesAgents, nameof(options.TakesAgents), "Only a coordinator takes agents; this application has none.");
        }
        return failures.ToResult();

        void CheckAddress(string option, string? address) => failures.Check(
            address is null || (Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"),
            option,
            $"'{address}' is not an address; write http://HOST:PORT or https://HOST:PORT.");
    }
}

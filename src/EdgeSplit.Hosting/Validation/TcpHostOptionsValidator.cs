using EdgeSplit.Transport;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Validation;

internal sealed class TcpHostOptionsValidator(HostedParts parts) : IValidateOptions<TcpHostOptions>
{
    public ValidateOptionsResult Validate(string? name, TcpHostOptions options)
    {
        var failures = new Failures(parts, EdgeSplitBuilder.TcpPart);
        failures.CheckAddress(nameof(options.Listen), options.Listen);
        failures.CheckAddress(nameof(options.Advertise), options.Advertise);
        failures.CheckAddress(nameof(options.Join), options.Join);
        for (int i = 0; i < options.Agents.Count; i++)
            failures.CheckAddress($"{nameof(options.Agents)}:{i}", options.Agents[i]);
        failures.CheckSecurity(options, options.Listen is not null);
        failures.Check(options.Advertise is null || options.Listen is not null, nameof(options.Advertise), $"It names a port that {nameof(options.Listen)} opens; set that too.");
        if (parts.HasCoordinator)
        {
            failures.Check(options.Join is null, nameof(options.Join), $"A coordinator joins none; it listens ({nameof(options.Listen)}) or connects to {nameof(options.Agents)}.");
        }
        else
        {
            failures.Check(options.Agents.Count == 0, nameof(options.Agents), "Only a coordinator connects to agents; this application has none.");
            failures.Check(
                !parts.HasAgent || parts.UsesGrpc || options.Listen is not null || options.Join is not null,
                nameof(options.Listen),
                $"No coordinator can reach this agent. Set it to HOST:PORT, or {nameof(options.Join)} to that of a coordinator that listens.");
        }
        // The transport's own rule of who may be let in.
        if (failures.ToResult().Succeeded && options.Listen is not null)
        {
            failures.Try(nameof(options.Listen), () => _ = new AgentListener(new AgentListenerOptions
            {
                EndPoint = HostAndPort.Parse(options.Listen),
                JoinToken = options.CreateJoinToken(),
                Tls = options.CreateServerTls(),
                DangerouslyAllowUnauthenticatedRemoteConnections = options.DangerouslyAllowUnauthenticatedRemoteConnections,
            }));
        }
        return failures.ToResult();
    }
}

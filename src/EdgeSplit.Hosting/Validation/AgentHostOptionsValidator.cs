using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Validation;

internal sealed class AgentHostOptionsValidator(HostedParts parts) : IValidateOptions<AgentHostOptions>
{
    public ValidateOptionsResult Validate(string? name, AgentHostOptions options)
    {
        var failures = new Failures(parts, EdgeSplitBuilder.AgentPart);
        failures.Check(CoordinatorHostOptionsValidator.IsId(options.Id), nameof(options.Id), "It must be 1 to 64 letters, digits, '-', '_' and '.'.");
        failures.Check(options.Threads >= 0, nameof(options.Threads), $"It must be 0 or more, not {options.Threads}.");
        failures.Check(options.ConcurrentStages >= 1, nameof(options.ConcurrentStages), $"It must be 1 or more, not {options.ConcurrentStages}.");
        if (parts.ServesAgent && !parts.UsesTcp && !parts.UsesGrpc)
            failures.Add(nameof(options.Id), $"No coordinator can reach this agent. Call {nameof(EdgeSplitBuilder.UseTcp)} or {nameof(EdgeSplitBuilder.UseGrpc)}, or add a coordinator to the application.");
        return failures.ToResult();
    }
}

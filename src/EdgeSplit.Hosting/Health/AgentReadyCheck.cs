using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EdgeSplit.Hosting.Health;

/// <summary>Healthy while coordinators can use the agent.</summary>
internal sealed class AgentReadyCheck(AgentServing serving) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(serving.Problem is { } problem ? new HealthCheckResult(context.Registration.FailureStatus, problem) : HealthCheckResult.Healthy());
}

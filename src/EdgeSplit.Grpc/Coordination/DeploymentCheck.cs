using EdgeSplit.Grpc.OpenInference;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EdgeSplit.Grpc.Coordination;

/// <summary>Healthy while a model is deployed, and all that are can be run.</summary>
internal sealed class DeploymentCheck(InferenceServer server) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(server.IsReady ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("No model is deployed, or one has lost agents without which it cannot be run."));
}

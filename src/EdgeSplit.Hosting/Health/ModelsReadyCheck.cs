using System.Collections.Immutable;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Membership;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace EdgeSplit.Hosting.Health;

/// <summary>Healthy while every model has a plan whose agents can all be reached.</summary>
internal sealed class ModelsReadyCheck(Coordinator coordinator, DeployedModels models, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string[] problems = [.. Problems()];
        return Task.FromResult(problems.Length == 0
            ? HealthCheckResult.Healthy()
            : new HealthCheckResult(context.Registration.FailureStatus, string.Join(' ', problems)));
    }

    private IEnumerable<string> Problems()
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            yield return "The application is stopping.";
            yield break;
        }
        ImmutableArray<Deployment> deployments = coordinator.Deployments;
        foreach (ModelStatus status in models.Statuses)
        {
            if (status.State != ModelState.Served)
                yield return $"Model '{status.Name}' is not served: {status.Reason}";
            else if (!deployments.Any(deployment => deployment.Name == status.Name))
                yield return $"Model '{status.Name}' is no longer deployed.";
        }
        HashSet<string> reachable = [.. coordinator.AgentStates.Where(static agent => agent.State != AgentState.Lost).Select(static agent => agent.Id)];
        foreach (Deployment deployment in deployments)
        {
            string[] missing;
            try
            {
                missing = [.. deployment.Plan.Stages.Select(stage => deployment.Plan.Fleet.Devices[stage.Device].Id).Distinct().Where(id => !reachable.Contains(id))];
            }
            catch (ObjectDisposedException)
            {
                continue; // It was unloaded meanwhile.
            }
            if (missing.Length > 0)
                yield return $"Model '{deployment.Name}' has stages on agents that cannot be reached: {string.Join(", ", missing)}.";
        }
    }
}

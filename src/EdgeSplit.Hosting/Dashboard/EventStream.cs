using System.Collections.Immutable;
using System.Text.Json;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Adaptation;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Hosting.Dashboard;

/// <summary>Tells one page, as server-sent events, what is and what has changed.</summary>
internal sealed class EventStream(Coordinator coordinator, DeployedModels models, RequestHistory history, DashboardGuard guard, DashboardOptions options)
{
    private const int RequestsPerUpdate = 60;
    private const int DecisionsTold = 100;

    private readonly Dictionary<string, long> _toldEpochs = new(StringComparer.Ordinal);
    private long _toldRequests;
    private long _toldSecond;
    private RepartitionDecision? _toldDecision;

    public async Task RunAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        using var timer = new PeriodicTimer(options.UpdateInterval, coordinator.Options.TimeProvider);
        try
        {
            do
            {
                await UpdateAsync(response, cancellationToken).ConfigureAwait(false);
                await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or the application stops.
        }
    }

    private async Task UpdateAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        ImmutableArray<Deployment> deployments = coordinator.Deployments;
        ImmutableArray<ModelStatus> statuses = models.Statuses;
        await SendAsync(response, "state", new
        {
            at = (coordinator.Options.TimeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds,
            allowsActions = guard.AllowsActions,
            inFlight = coordinator.InFlightRequests,
            queued = coordinator.QueuedRequests,
            devices = coordinator.AgentStates.OrderBy(static agent => agent.Id, StringComparer.Ordinal).Select(DashboardData.Device),
            models = statuses.Select(static status => new { name = status.Name, state = status.State.ToString(), reason = status.Reason }),
        }, cancellationToken).ConfigureAwait(false);
        foreach (Deployment deployment in deployments)
        {
            try
            {
                if (_toldEpochs.GetValueOrDefault(deployment.Name) == deployment.Epoch)
                    continue;
                object plan = DashboardData.Plan(deployment);
                _toldEpochs[deployment.Name] = deployment.Epoch;
                await SendAsync(response, "plan", plan, cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                _toldEpochs.Remove(deployment.Name); // It was unloaded meanwhile.
            }
        }
        foreach (string gone in _toldEpochs.Keys.Except(deployments.Select(static deployment => deployment.Name)).ToArray())
            _toldEpochs.Remove(gone);
        (_toldRequests, RequestOutcome[] requests) = history.RequestsAfter(_toldRequests, RequestsPerUpdate);
        if (requests.Length > 0)
            await SendAsync(response, "requests", requests.Select(DashboardData.Request), cancellationToken).ConfigureAwait(false);
        object[] seconds = history.SecondsAfter(_toldSecond);
        if (seconds.Length > 0)
        {
            _toldSecond = coordinator.Options.TimeProvider.GetUtcNow().ToUnixTimeSeconds() - 1;
            await SendAsync(response, "seconds", seconds, cancellationToken).ConfigureAwait(false);
        }
        ImmutableArray<RepartitionDecision> decisions = coordinator.Decisions;
        if (!decisions.IsEmpty && !ReferenceEquals(decisions[^1], _toldDecision))
        {
            _toldDecision = decisions[^1];
            await SendAsync(response, "decisions", decisions.Reverse().Take(DecisionsTold).Select(DashboardData.Decision), cancellationToken).ConfigureAwait(false);
        }
    }

    // The serialiser writes no line breaks, so one line of data holds it all.
    private static Task SendAsync(HttpResponse response, string name, object data, CancellationToken cancellationToken) =>
        response.WriteAsync($"event: {name}\ndata: {JsonSerializer.Serialize(data, JsonSerializerOptions.Web)}\n\n", cancellationToken);
}

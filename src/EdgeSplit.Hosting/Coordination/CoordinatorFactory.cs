using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination;
using EdgeSplit.Coordination.Batching;
using EdgeSplit.Costs;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;
using EdgeSplit.Repositories;
using EdgeSplit.Transport.Compression;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeSplit.Hosting.Coordination;

/// <summary>Makes an application's coordinator.</summary>
internal static class CoordinatorFactory
{
    public static Coordinator Create(IServiceProvider provider)
    {
        CoordinatorHostOptions host = provider.GetRequiredService<IOptions<CoordinatorHostOptions>>().Value;
        var options = new CoordinatorOptions
        {
            Id = host.Id,
            CostModel = WeightedCostModel.ForObjective(host.Objective),
            Constraints = host.MaximumReplicas is int most ? new PlanConstraints { MaximumReplicas = most } : PlanConstraints.ForObjective(host.Objective),
            // Services are made without waiting; opening a folder waits for the disk alone.
            Repository = host.Repository is { } folder ? FolderModelRepository.OpenAsync(folder).AsTask().GetAwaiter().GetResult() : provider.GetService<IModelRepository>(),
            Runtime = host.RunsLayers ? provider.GetRequiredService<IPartitionRuntime>() : null,
            MaxInFlightRequests = host.MaxInFlightRequests,
            MaxQueuedRequests = host.MaxQueuedRequests,
            StageWindow = host.StageWindow,
            Batching = host.MaxBatch > 1 ? new BatchingOptions { MaxBatch = host.MaxBatch, MaxDelay = host.MaxBatchDelay } : null,
            Compression = host.CompressionErrorBudget is { } budget ? new CompressionOptions { ErrorBudget = budget, Choices = ActivationCodec.Measure() } : null,
            TimeProvider = provider.GetRequiredService<TimeProvider>(),
            LoggerFactory = provider.GetRequiredService<ILoggerFactory>(),
        };
        return new Coordinator(provider.GetRequiredService<IModelFormat>(), host.Customize?.Invoke(options) ?? options);
    }
}

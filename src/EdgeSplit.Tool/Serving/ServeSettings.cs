using System.Net;
using EdgeSplit.Costs;
using EdgeSplit.Hosting;

namespace EdgeSplit.Tool.Serving;

/// <summary>What <c>edgesplit serve</c> was asked for.</summary>
internal sealed record ServeSettings
{
    public required string[] Models { get; init; }

    public required string? Repository { get; init; }

    public required bool RestoresModels { get; init; }

    public required string[] Agents { get; init; }

    public required string? Listen { get; init; }

    /// <summary>Whether agents may join on the port of gRPC.</summary>
    public required bool TakesAgents { get; init; }

    public required int ExpectedAgents { get; init; }

    public required bool RunsLayers { get; init; }

    public required IPEndPoint Http { get; init; }

    public required IPEndPoint Grpc { get; init; }

    public required string? ClientTokenFile { get; init; }

    public required string? DashboardTokenFile { get; init; }

    public required PlanObjective Objective { get; init; }

    public required int? MaxReplicas { get; init; }

    public required int MaxBatch { get; init; }

    public required TimeSpan MaxBatchDelay { get; init; }

    public required ConnectionSecurity Security { get; init; }
}

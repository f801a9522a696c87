using System.CommandLine;
using EdgeSplit.Costs;
using EdgeSplit.Tool.Serving;
using Microsoft.AspNetCore.Builder;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit serve</c>: a coordinator that serves models to standard clients until stopped.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Argument<string[]> models = new("models")
        {
            Description = "The models to serve: files, or names of models in the repository; NAME=FILE gives a name. None to load them on the dashboard.",
            HelpName = "MODEL",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string> repository = new("--repository") { Description = "A folder that keeps models, partitions and weights.", HelpName = "DIR" };
        Option<bool> fresh = new("--no-restore") { Description = "Do not serve what was served when a coordinator with this repository ended, but the given models alone." };
        Option<string[]> agents = SharedArguments.Agents();
        Option<string> listen = new("--listen") { Description = "Listen here for agents that join ('edgesplit agent --join').", HelpName = "HOST:PORT" };
        Option<bool> joinGrpc = new("--grpc-join") { Description = "Let agents join on the gRPC port too ('edgesplit agent --join http(s)://...'), with the token of --token." };
        Option<int> expect = SharedArguments.Count("--expect", 1, 0, "Deploy when so many agents are connected.");
        Option<bool> local = new("--local") { Description = "Let this machine run layers too." };
        Option<string> http = new("--http") { Description = "Where the REST protocol, the dashboard, /metrics, /healthz and /readyz are served.", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "127.0.0.1:8000" };
        Option<string> grpc = new("--grpc") { Description = "Where gRPC is served.", HelpName = "ADDRESS:PORT", DefaultValueFactory = _ => "127.0.0.1:8001" };
        Option<string> clientToken = new("--client-token") { Description = "A file with the token that clients send, as 'authorization: Bearer TOKEN'.", HelpName = "FILE" };
        Option<string> dashboardToken = new("--dashboard-token") { Description = "A file with the token that allows actions on the dashboard, which is read-only without.", HelpName = "FILE" };
        Option<PlanObjective> objective = SharedArguments.Objective();
        Option<int?> replicas = SharedArguments.MaxReplicas();
        Option<int> batch = SharedArguments.Count("--batch", 1, 1, "Join requests that come at about the same time, up to so many rows of the batch dimension, for models that have one; 1 to join none.");
        Option<int> batchDelay = SharedArguments.Count("--batch-delay", 2, 0, "How long, in milliseconds, a request waits at most for others to be joined with.");
        var security = new SecurityArguments();
        foreach (Option<string> address in (ReadOnlySpan<Option<string>>)[listen, http, grpc])
            address.Validators.Add(SharedArguments.CheckAddresses);
        var command = new Command("serve", "Serves models that are split over agents: Open Inference Protocol over REST and gRPC, metrics, health and a dashboard.")
        {
            models, repository, fresh, agents, listen, joinGrpc, expect, local, http, grpc, clientToken, dashboardToken, objective, replicas, batch, batchDelay,
        };
        security.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(agents) is not { Length: > 0 } && result.GetValue(listen) is null && !result.GetValue(joinGrpc) && !result.GetValue(local))
                result.AddError("No agents: give --agent ADDRESS for each one to connect to, --listen HOST:PORT or --grpc-join for those that join, or --local to run layers here.");
        });
        command.SetAction((result, cancellationToken) => RunAsync(
            new ServeSettings
            {
                Models = result.GetValue(models) ?? [],
                Repository = result.GetValue(repository),
                RestoresModels = !result.GetValue(fresh),
                Agents = result.GetValue(agents) ?? [],
                Listen = result.GetValue(listen),
                TakesAgents = result.GetValue(joinGrpc),
                ExpectedAgents = result.GetValue(expect),
                RunsLayers = result.GetValue(local),
                Http = SharedArguments.ListenAddress(result.GetRequiredValue(http)),
                Grpc = SharedArguments.ListenAddress(result.GetRequiredValue(grpc)),
                ClientTokenFile = result.GetValue(clientToken),
                DashboardTokenFile = result.GetValue(dashboardToken),
                Objective = result.GetValue(objective),
                MaxReplicas = result.GetValue(replicas),
                MaxBatch = result.GetValue(batch),
                MaxBatchDelay = TimeSpan.FromMilliseconds(result.GetValue(batchDelay)),
                Security = security.Read(result),
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ServeSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            return await ServeAsync(settings, cancellationToken);
        }
        catch (Microsoft.Extensions.Options.OptionsValidationException exception)
        {
            throw new BadUsageException(string.Join(' ', exception.Failures));
        }
    }

    private static async Task<int> ServeAsync(ServeSettings settings, CancellationToken cancellationToken)
    {
        await using WebApplication application = ServeApplication.Build(settings);
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new EdgeSplitException(EdgeSplitError.InvalidArgument, $"Cannot listen on {settings.Http} and {settings.Grpc}: {exception.Message}", exception);
        }
        ServeApplication.PrintAddresses(application);
        try
        {
            await ServeApplication.WatchModelsAsync(application, cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Being stopped is how a server ends.
        }
        finally
        {
            await application.StopAsync(CancellationToken.None);
        }
        return CommandLine.Fine;
    }
}

using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Tensors;
using EdgeSplit.Tool.Output;
using EdgeSplit.Transport;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit run</c>: coordinates agents to run a model, and tells how fast it goes.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<string[]> agents = new("--agent") { Description = "An agent's address; repeat for several.", HelpName = "HOST:PORT", Required = true, AllowMultipleArgumentsPerToken = true };
        Option<int> requests = SharedArguments.Count("--requests", 16, 1, "Requests to run.");
        Option<int> concurrency = SharedArguments.Count("--concurrency", 1, 1, "Requests in flight at the same time.");
        Option<string[]> input = new("--input")
        {
            Description = "Where the inputs come from: random, FILE.pb or FILE.npy in the order of the model's inputs, or NAME=FILE; repeat for several.",
            HelpName = "FILE",
            DefaultValueFactory = _ => ["random"],
        };
        Option<int> seed = new("--seed") { Description = "The seed of random inputs.", HelpName = "N" };
        Option<PlanObjective> objective = new("--objective") { Description = "What the plan minimises.", DefaultValueFactory = _ => PlanObjective.Latency };
        Option<bool> check = new("--check") { Description = "Compare the result with the unsplit model's, run here; fails where they differ by more than 1e-4." };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        agents.AddAddressValidator();
        var command = new Command("run", "Splits a model over agents, runs requests through it, and shows the plan, latencies and throughput.")
        {
            model, agents, requests, concurrency, input, seed, objective, check, dimensions, json,
        };
        command.SetAction((result, cancellationToken) => RunAsync(
            new Settings(
                result.GetRequiredValue(model),
                result.GetRequiredValue(agents),
                result.GetValue(requests),
                result.GetValue(concurrency),
                result.GetValue(input) ?? [],
                result.GetValue(seed),
                result.GetValue(objective),
                result.GetValue(check),
                SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []),
                result.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, CancellationToken cancellationToken)
    {
        // The inputs first: nothing is asked of agents for a request that cannot be made.
        using OnnxModel opened = OnnxModel.Open(settings.Model, new OnnxModelOptions { FreeDimensions = settings.Dimensions });
        using InputTensors inputs = InputTensors.Load(opened.Inputs, settings.Inputs, settings.Seed, settings.Dimensions);

        await using var coordinator = new Coordinator(new OnnxModelFormat(new OnnxModelOptions { FreeDimensions = settings.Dimensions }), new CoordinatorOptions
        {
            CostModel = WeightedCostModel.ForObjective(settings.Objective),
            MaxInFlightRequests = settings.Concurrency,
            MaxQueuedRequests = settings.Concurrency,
        });
        foreach (string address in settings.Agents)
            await coordinator.AddAgentAsync(await RemoteEdgeAgent.ConnectAsync(HostAndPort.Parse(address), cancellationToken: cancellationToken), cancellationToken);

        Tables.Status.MarkupLineInterpolated($"[grey]deploying {opened.Graph.Name} on {settings.Agents.Length} agents[/]");
        await using Deployment deployment = await coordinator.DeployAsync(settings.Model, null, cancellationToken);
        if (!settings.Json)
            Tables.Console.Write(PlanTable.Create(deployment.Plan));

        double? difference = settings.Check ? await CheckAsync(settings, deployment, inputs.ByName, cancellationToken) : null;
        Measurement measurement = await MeasureAsync(deployment, inputs.ByName, settings, cancellationToken);
        if (settings.Json)
            PrintJson(deployment, measurement, difference);
        else
            PrintTables(deployment, measurement, difference);
        if (difference is > 1e-4 or double.NaN)
        {
            Console.Error.WriteLine($"edgesplit: the split result differs from the unsplit one by {difference:g3} relative.");
            return CommandLine.Failed;
        }
        return CommandLine.Fine;
    }
}

using System.CommandLine;
using System.Globalization;
using EdgeSplit.Agents;
using EdgeSplit.Compression;
using EdgeSplit.Coordination;
using EdgeSplit.Costs;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Verification;
using EdgeSplit.Partitioning;
using EdgeSplit.Tensors;
using EdgeSplit.Tool.Output;
using EdgeSplit.Transport.Compression;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit run</c>: coordinates agents to run a model, and tells how fast it goes.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        var agents = new FleetArguments();
        Option<int> requests = SharedArguments.Count("--requests", 16, 1, "Requests to run.");
        Option<int> concurrency = SharedArguments.Count("--concurrency", 1, 1, "Requests in flight at the same time.");
        Option<string[]> input = new("--input")
        {
            Description = "Where the inputs come from: random, FILE.pb or FILE.npy in the order of the model's inputs, or NAME=FILE; repeat for several.",
            HelpName = "FILE",
            DefaultValueFactory = _ => ["random"],
        };
        Option<int> seed = new("--seed") { Description = "The seed of random inputs.", HelpName = "N" };
        Option<PlanObjective> objective = SharedArguments.Objective();
        Option<int?> replicas = SharedArguments.MaxReplicas();
        var profiling = new ProfilingArguments();
        Option<bool> check = new("--check") { Description = "Compare the result with the unsplit model's, run here; fails where they differ by more than 1e-4." };
        Option<double?> compress = new("--compress")
        {
            Description = "Let links carry activations compressed where that is faster, each number changed by at most this much of its tensor's largest: 0 for lossless only, 0.0005 allows 16-bit floats, 0.004 8-bit steps.",
            HelpName = "ERROR",
        };
        compress.Validators.Add(static result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double budget) && !(budget >= 0))
                result.AddError("--compress must be 0 or more.");
        });
        Option<bool> decisions = new("--decisions") { Description = "Print, as they are made, the decisions for or against another plan, with their reasons." };
        Option<bool> relay = new("--relay") { Description = "Let all tensors pass through the coordinator, also between agents that reach each other." };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        var command = new Command("run", "Splits a model over agents, runs requests through it, and shows the plan, latencies and throughput.")
        {
            model, requests, concurrency, input, seed, objective, replicas, check, compress, decisions, relay, dimensions, json,
        };
        agents.AddTo(command);
        profiling.AddTo(command);
        command.SetAction((result, cancellationToken) => RunAsync(
            new Settings(
                result.GetRequiredValue(model),
                (coordinator, cancellation) => agents.ConnectAsync(result, coordinator, cancellation),
                result.GetValue(requests),
                result.GetValue(concurrency),
                result.GetValue(input) ?? [],
                result.GetValue(seed),
                result.GetValue(objective),
                result.GetValue(replicas),
                profiling.Read(result),
                result.GetValue(check),
                result.GetValue(compress),
                result.GetValue(decisions),
                result.GetValue(relay),
                SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []),
                result.GetValue(json)),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Settings settings, CancellationToken cancellationToken)
    {
        // The inputs first: nothing is asked of agents for a request that cannot be made.
        var modelOptions = new OnnxModelOptions { FreeDimensions = settings.Dimensions };
        using OnnxModel model = OnnxModel.Open(settings.Model, modelOptions, cancellationToken);
        using InputTensors inputs = InputTensors.Load(model.Inputs, settings.Inputs, settings.Seed, settings.Dimensions);

        await using var coordinator = new Coordinator(new OnnxModelFormat(modelOptions), new CoordinatorOptions
        {
            CostModel = WeightedCostModel.ForObjective(settings.Objective),
            Constraints = settings.MaxReplicas is int most ? new PlanConstraints { MaximumReplicas = most } : PlanConstraints.ForObjective(settings.Objective),
            MaxInFlightRequests = settings.Concurrency,
            ForwardsDirectly = !settings.Relay,
            Compression = settings.ErrorBudget is double budget ? new CompressionOptions { ErrorBudget = budget, Choices = ActivationCodec.Measure() } : null,
        });
        if (settings.Decisions)
        {
            coordinator.DecisionMade += static (_, decision) => Console.Error.WriteLine(
                $"{decision.Time:HH:mm:ss.fff} {(decision.Switched ? $"switched to plan {decision.Epoch}" : $"stayed on plan {decision.Epoch}")}: {decision.Cause} {decision.Reason}");
        }
        await using FleetConnection connection = await settings.ConnectAsync(coordinator, cancellationToken);

        var deploymentOptions = new DeploymentOptions { MeasuredLayerSeconds = await settings.Profiling.ProfileAsync(model, inputs.ByName, coordinator, cancellationToken) };
        Tables.Status.MarkupLineInterpolated($"[grey]deploying {model.Graph.Name} on {coordinator.Agents.Length} agents[/]");
        await using Deployment deployment = await coordinator.DeployAsync(settings.Model, deploymentOptions, cancellationToken);
        if (!settings.Json)
            Tables.Console.Write(PlanTable.Create(deployment.Plan));

        double? difference = settings.Check ? await CheckAsync(model, deployment, inputs.ByName, cancellationToken) : null;
        Measurement measurement = await Measurement.TakeAsync(deployment, inputs.ByName, settings.Requests, settings.Concurrency, cancellationToken);
        if (settings.Json)
            PrintJson(deployment, measurement, difference);
        else
            PrintTables(measurement, difference);
        if (difference is not null and not <= VerifyCommand.RelativeTolerance)
        {
            Console.Error.WriteLine($"edgesplit: the split result differs from the unsplit model's by {difference:g3} relative.");
            return CommandLine.Failed;
        }
        return CommandLine.Fine;
    }

    /// <summary>Runs the model once split and once whole in this process, and gives the largest difference relative to the largest element.</summary>
    private static async Task<double> CheckAsync(OnnxModel model, Deployment deployment, IReadOnlyDictionary<string, Tensor> inputs, CancellationToken cancellationToken)
    {
        using FinalResult split = await deployment.InferAsync(inputs, cancellationToken);
        using IPartitionExecutor whole = await new OnnxPartitionRuntime().LoadModelAsync(model.Path, cancellationToken);
        IReadOnlyDictionary<string, Tensor> expected = whole.Execute(inputs, cancellationToken);
        try
        {
            return SplitComparison.Of(expected, split.Outputs).LargestRelative;
        }
        finally
        {
            foreach (Tensor tensor in expected.Values)
                tensor.Dispose();
        }
    }

    private static void PrintTables(Measurement measurement, double? difference)
    {
        Table table = Tables.Create($"{measurement.Requests} requests, {measurement.Concurrency} in flight", "figure", ">value");
        table.Add("throughput", string.Create(CultureInfo.InvariantCulture, $"{measurement.RequestsPerSecond:0.0} requests/s"));
        foreach (double percentile in Measurement.Percentiles)
            table.Add(string.Create(CultureInfo.InvariantCulture, $"latency p{percentile:0.#}"), Units.Milliseconds(measurement.LatencyAt(percentile)));
        if (difference is double value)
            table.Add("largest relative difference from unsplit", string.Create(CultureInfo.InvariantCulture, $"{value:g3}"));
        Tables.Console.Write(table);

        Table stages = Tables.Create("Stages, medians", "stage", "agent", ">compute", ">queue", ">transfer");
        foreach (StageTiming stage in measurement.MedianStages())
            stages.Add(stage.Stage.ToString(CultureInfo.InvariantCulture), stage.AgentId, Units.Milliseconds(stage.Compute), Units.Milliseconds(stage.Queue), Units.Milliseconds(stage.Transfer));
        Tables.Console.Write(stages);
    }

    private static void PrintJson(Deployment deployment, Measurement measurement, double? difference) => Json.Print(new
    {
        model = deployment.Plan.Graph.Name,
        partitioner = deployment.Plan.Partitioner,
        stages = PlanTable.Describe(deployment.Plan),
        requests = measurement.Requests,
        concurrency = measurement.Concurrency,
        requestsPerSecond = measurement.RequestsPerSecond,
        latencySeconds = Measurement.Percentiles.ToDictionary(
            static percentile => string.Create(CultureInfo.InvariantCulture, $"p{percentile:0.#}"),
            percentile => measurement.LatencyAt(percentile).TotalSeconds),
        measuredStages = measurement.MedianStages().Select(static stage => new
        {
            stage = stage.Stage,
            agent = stage.AgentId,
            computeSeconds = stage.Compute.TotalSeconds,
            queueSeconds = stage.Queue.TotalSeconds,
            transferSeconds = stage.Transfer.TotalSeconds,
        }),
        largestRelativeDifference = difference,
    });

    private sealed record Settings(
        string Model,
        Func<Coordinator, CancellationToken, Task<FleetConnection>> ConnectAsync,
        int Requests,
        int Concurrency,
        string[] Inputs,
        int Seed,
        PlanObjective Objective,
        int? MaxReplicas,
        ProfilingArguments.Settings Profiling,
        bool Check,
        double? ErrorBudget,
        bool Decisions,
        bool Relay,
        IReadOnlyDictionary<string, long> Dimensions,
        bool Json);
}

using System.CommandLine;
using System.Globalization;
using EdgeSplit.Costs;
using EdgeSplit.Devices;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Tool.Output;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit plan</c>: places a model on a fleet that a file describes, and says how good the placement is.</summary>
internal static class PlanCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<string> fleet = new("--fleet") { Description = "The devices and links (docs/schemas/fleet.schema.json); 'edgesplit fleet probe' writes one.", HelpName = "FLEET.json", Required = true };
        Option<PlanObjective> objective = SharedArguments.Objective();
        Option<int?> replicas = SharedArguments.MaxReplicas();
        Option<string> solver = Solvers.Option();
        Option<double> timeLimit = new("--time-limit") { Description = "How long to search.", HelpName = "SECONDS", DefaultValueFactory = _ => 0.2 };
        Option<string> output = new("--out") { Description = "Write the plan for 'edgesplit split --plan' and 'edgesplit verify --plan'.", HelpName = "PLAN.json" };
        Option<string> page = new("--html") { Description = "Write the plan as a page to look at; needs no network.", HelpName = "PLAN.html" };
        Option<int> seed = new("--seed") { Description = "The seed of whatever is random.", HelpName = "N" };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        var constraints = new ConstraintArguments();
        timeLimit.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double seconds) && !(seconds > 0 && seconds <= 86400))
                result.AddError($"--time-limit must be above 0 and at most 86400 seconds, not {result.Tokens[0].Value}.");
        });
        var command = new Command("plan", "Places a model's layers on devices, with a proven bound on how far from the best possible that is.")
        {
            model, fleet, objective, replicas, solver, timeLimit, output, page, seed, dimensions, json,
        };
        constraints.AddTo(command);
        command.SetAction((result, cancellationToken) => Task.Run(() =>
        {
            FleetDescription description = FleetFile.Read(result.GetRequiredValue(fleet));
            using OnnxModel opened = OnnxModel.Open(
                result.GetRequiredValue(model),
                new OnnxModelOptions { FreeDimensions = SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []) },
                cancellationToken);
            var problem = new PartitionProblem
            {
                Graph = opened.Graph,
                Fleet = description.Fleet,
                SourceDevice = description.SourceDevice,
                MeasuredLayerSeconds = description.LayerSecondsOf(opened.Graph),
                CostModel = WeightedCostModel.ForObjective(result.GetValue(objective)),
                Constraints = constraints.Read(result, opened.Graph, description) with
                {
                    MaximumReplicas = result.GetValue(replicas) ?? (Solvers.MakesCopies(result.GetRequiredValue(solver)) ? PlanConstraints.ForObjective(result.GetValue(objective)).MaximumReplicas : 1),
                },
                Seed = result.GetValue(seed),
            };
            IPartitioner partitioner = Solvers.Create(result.GetRequiredValue(solver), TimeSpan.FromSeconds(result.GetValue(timeLimit)));
            PartitionPlan plan = partitioner.Partition(problem, cancellationToken);
            if (result.GetValue(output) is string planFile)
                PlanFile.Write(planFile, plan);
            if (result.GetValue(page) is string pageFile)
                PlanPage.Write(pageFile, problem, plan);
            if (result.GetValue(json))
                PrintJson(plan);
            else
                Print(plan);
            return CommandLine.Fine;
        }, cancellationToken));
        return command;
    }

    private static void Print(PartitionPlan plan)
    {
        Tables.Console.Write(PlanTable.Create(plan));
        Console.Out.WriteLine(plan.LowerBound is > 0
            ? string.Create(CultureInfo.InvariantCulture, $"within {(plan.Objective / plan.LowerBound.Value) - 1:0.0%} of the best possible: {plan.Objective:g4}, and no plan is below {plan.LowerBound:g4}")
            : string.Create(CultureInfo.InvariantCulture, $"objective {plan.Objective:g4}; no bound was proven"));
    }

    private static void PrintJson(PartitionPlan plan) => Json.Print(new
    {
        model = plan.Graph.Name,
        partitioner = plan.Partitioner,
        objective = plan.Objective,
        lowerBound = plan.LowerBound,
        latencySeconds = plan.Cost.LatencySeconds,
        bottleneckSeconds = plan.Cost.BottleneckSeconds,
        transferredBytes = plan.Cost.TransferredBytes,
        energyJoules = plan.Cost.EnergyJoules,
        stages = PlanTable.Describe(plan),
        routes = plan.Routes.Select(static route => new { share = route.Share, stages = route.Stages }),
    });
}

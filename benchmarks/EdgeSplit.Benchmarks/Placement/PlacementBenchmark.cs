using System.Diagnostics;
using System.Globalization;
using System.Text;
using EdgeSplit.Costs;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Benchmarks.Placement;

/// <summary>Plans published workloads, writes the splits, and compares with the values that their own solvers reach.</summary>
internal static class PlacementBenchmark
{
    public const string OnceVerb = "placement-once";

    /// <summary>A reference's time of 0.0 s was rounded.</summary>
    private const double ShortestReferenceSeconds = 0.05;

    /// <summary>About what it takes to set such a problem up, which a budget does not count.</summary>
    private const double SetUpSeconds = 0.02;

    /// <summary>Runs of which the median is told.</summary>
    private const int WarmRuns = 7;

    private const int LatencySteps = 8_000_000;

    /// <summary>Runs <c>placement --workloads DIR --out DIR [--seconds S]</c>.</summary>
    public static int Run(ReadOnlySpan<string> args)
    {
        string? workloads = null, output = null;
        double seconds = 5;
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--workloads":
                    workloads = args[i + 1];
                    break;
                case "--out":
                    output = args[i + 1];
                    break;
                case "--seconds" when double.TryParse(args[i + 1], CultureInfo.InvariantCulture, out seconds) && seconds > 0:
                    break;
                default:
                    output = null;
                    i = args.Length;
                    break;
            }
        }
        if (workloads is null || output is null || !Directory.Exists(workloads))
        {
            Console.Error.WriteLine("Usage: placement --workloads DIR --out DIR [--seconds S]; DIR has dnn-partitioning or PipeEdge workloads, S is the search per workload (default 5).");
            return 2;
        }
        Directory.CreateDirectory(output);
        string table = Tables(workloads, output, seconds);
        Console.WriteLine(table);
        File.WriteAllText(Path.Combine(output, "placement.md"), table);
        return 0;
    }

    /// <summary>Runs <c>placement-once FILE SECONDS</c>: prints how long the first plan in a process takes, which pays for compiling the code.</summary>
    public static int RunOnce(string path, string budgetSeconds)
    {
        PartitionProblem problem = AcceleratorWorkload.Read(path).ToProblem(PlanObjective.Throughput);
        Console.WriteLine(Plan(problem, TimeSpan.FromSeconds(double.Parse(budgetSeconds, CultureInfo.InvariantCulture))).Seconds.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static double ColdSeconds(string path, TimeSpan budget)
    {
        string[] command = SelfStart.Command(OnceVerb, path, budget.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true })!;
        string printed = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return double.Parse(printed, CultureInfo.InvariantCulture);
    }

    private static string Tables(string folder, string output, double seconds)
    {
        var reference = ReferenceResults.Read(folder);
        string[] files = [.. Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Where(static path => IsUnder(path, "LayerGraphs", "OperatorGraphs")).Order(StringComparer.Ordinal)];
        string[] latencyFiles = [.. files.Where(static path => IsUnder(path, "latency-inputs"))];
        string[] throughputFiles = [.. files.Except(latencyFiles)];
        var text = new StringBuilder();
        if (throughputFiles.Length > 0)
        {
            text.AppendLine("## Throughput: the largest load").AppendLine()
                .AppendLine("| workload | reference | reference s | in a tenth of its time | CPU s | CPU s in a new process | objective | lower bound | gap | CPU s |")
                .AppendLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
            foreach (string path in throughputFiles)
                AddThroughput(text, path, reference, output, seconds);
        }
        if (latencyFiles.Length > 0)
        {
            text.AppendLine().AppendLine("## Latency: the reference's model").AppendLine()
                .AppendLine("| workload | memory of an accelerator | greedy | expert | objective | lower bound | gap | CPU s |")
                .AppendLine("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
            foreach (string path in latencyFiles)
                AddLatency(text, folder, path, reference, output, seconds);
        }
        foreach (string path in Directory.EnumerateFiles(folder, "device_types.yml", SearchOption.AllDirectories))
            AddPipeEdge(text, Path.GetDirectoryName(path)!, seconds);
        return text.ToString();
    }

    private static void AddThroughput(StringBuilder text, string path, ReferenceResults reference, string output, double seconds)
    {
        var workload = AcceleratorWorkload.Read(path);
        PartitionProblem problem = workload.ToProblem(PlanObjective.Throughput);
        (double? value, double? referenceSeconds) = reference.Lowest("throughput-optimum", path);
        double tenth = Math.Min(seconds, Math.Max(referenceSeconds ?? 10 * seconds, ShortestReferenceSeconds) / 10);
        var budget = TimeSpan.FromSeconds(Math.Max((tenth / 2) - SetUpSeconds, tenth / 20));
        PartitionPlan quick = Plan(problem, budget).Plan;
        double[] warm = [.. Enumerable.Range(0, WarmRuns).Select(_ => Plan(problem, budget).Seconds).Order()];
        (PartitionPlan best, double bestSeconds) = Plan(problem, TimeSpan.FromSeconds(seconds));
        if (quick.Objective < best.Objective)
            best = quick with { LowerBound = Math.Max(quick.LowerBound ?? 0, best.LowerBound ?? 0) };
        PlanEvaluation evaluation = new PlanEvaluator(problem).Evaluate(best.Assignment.AsSpan());
        SplitFile.Write(Path.Combine(output, $"{workload.Name}.split.json"), workload, best.Assignment, [.. evaluation.Devices.Select(static device => device.LoadSeconds)]);
        text.AppendLine(CultureInfo.InvariantCulture,
            $"| {workload.Name} | {value:F4} | {referenceSeconds:F1} | {quick.Objective:F4} | {warm[WarmRuns / 2]:F3} | {ColdSeconds(path, budget):F3} | {best.Objective:F4} | {best.LowerBound:F4} | {Gap(best.Objective, best.LowerBound)} | {bestSeconds:F2} |");
    }

    private static void AddLatency(StringBuilder text, string folder, string path, ReferenceResults reference, string output, double seconds)
    {
        var workload = AcceleratorWorkload.Read(path);
        double greedy = reference.Lowest("latency: greedy", path).Value ?? double.NaN;
        AddRow("limit", workload, [.. Plan(workload.ToProblem(PlanObjective.Latency), TimeSpan.FromSeconds(seconds)).Plan.Assignment], null, "latency");
        var expert = ExpertSplit.Find(folder, workload);
        if (expert is not null)
        {
            double bytes = expert.MostBytes(workload);
            AddRow(string.Create(CultureInfo.InvariantCulture, $"as the expert's ({bytes / workload.AcceleratorMemory:F2} of it)"), workload.With(bytes, Math.Max(workload.Accelerators, expert.Accelerators)), null, expert, "latency-expert-memory");
        }
        AddRow("no limit", workload.With(workload.Nodes.Sum(static node => node.Size), workload.Accelerators), null, expert, "latency-any-memory");

        void AddRow(string memory, AcceleratorWorkload limited, int[]? start, ExpertSplit? shown, string place)
        {
            TimeSpan begin = ProcessorTime;
            PartitionProblem problem = limited.ToProblem(PlanObjective.Latency);
            (int[] best, double value, double bound) = LatencyPlanning.Plan(limited, problem, start is null ? [] : [start], LatencySteps);
            double spent = (ProcessorTime - begin).TotalSeconds;
            SplitFile.Write(Path.Combine(output, place, $"{workload.Name}.split.json"), limited, best, [.. new PlanEvaluator(problem).Evaluate(best).Devices.Select(static device => device.LoadSeconds)]);
            // Experts count accelerators in their own way, and keep to no limit.
            double? known = shown is null ? null : new AcceleratorLatency(workload.With(double.PositiveInfinity, shown.Accelerators), problem).Evaluate(shown.Assignment);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {workload.Name} | {memory} | {greedy:F3} | {known:F3} | {value:F3} | {bound:F3} | {Gap(value, bound)} | {spent:F2} |");
        }
    }

    private static void AddPipeEdge(StringBuilder text, string folder, double seconds)
    {
        var workload = new PipeEdgeWorkload(folder);
        text.AppendLine().AppendLine("## PipeEdge: ViT-Base, seconds per batch of 8").AppendLine()
            .AppendLine("Contiguous parts, as PipeEdge makes them, and any placement.").AppendLine()
            .AppendLine("| hosts | PipeEdge's scheduler | contiguous | any | lower bound | gap | CPU s |")
            .AppendLine("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (int hosts in new[] { 2, 4, 8 })
        {
            var pipeline = new PipelinePartitioner();
            PartitionProblem problem = workload.ToProblem(hosts, asReference: false);
            // What the wrong profiles led to, timed with the right ones.
            PlanEvaluation reference = new PlanEvaluator(problem).Evaluate(pipeline.Partition(workload.ToProblem(hosts, asReference: true), default).Assignment.AsSpan());
            PartitionPlan contiguous = pipeline.Partition(problem, default);
            (PartitionPlan plan, double spent) = Plan(problem, TimeSpan.FromSeconds(seconds));
            text.AppendLine(CultureInfo.InvariantCulture,
                $"| {hosts} + {hosts} | {reference.Objective:F3} | {contiguous.Objective:F3} | {plan.Objective:F3} | {plan.LowerBound:F3} | {Gap(plan.Objective, plan.LowerBound)} | {spent:F2} |");
        }
    }

    private static (PartitionPlan Plan, double Seconds) Plan(PartitionProblem problem, TimeSpan budget)
    {
        TimeSpan start = ProcessorTime;
        PartitionPlan plan = new AutoPartitioner(new AutoPartitionerOptions { TimeBudget = budget }).Partition(problem, default);
        return (plan, (ProcessorTime - start).TotalSeconds);
    }

    /// <summary>Planning has one thread, so this is what it takes on a machine that does nothing else.</summary>
    private static TimeSpan ProcessorTime => Process.GetCurrentProcess().TotalProcessorTime;

    private static string Gap(double objective, double? bound) => bound is > 0 and double known ? string.Create(CultureInfo.InvariantCulture, $"{(objective / known) - 1:P2}") : "";

    private static bool IsUnder(string path, params ReadOnlySpan<string> folders)
    {
        foreach (string part in path.Split('/', '\\'))
        {
            if (folders.Contains(part))
                return true;
        }
        return false;
    }
}

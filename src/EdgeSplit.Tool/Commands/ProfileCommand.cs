using System.CommandLine;
using System.Globalization;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Runtime;
using EdgeSplit.Onnx.Runtime.Profiling;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit profile</c>: measures a model's layers on this machine.</summary>
internal static class ProfileCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<int> threads = SharedArguments.Count("--threads", 1, 1, "Threads that the model runs on.");
        Option<double> seconds = new("--seconds") { Description = "About how long to repeat runs.", HelpName = "S", DefaultValueFactory = _ => 3 };
        Option<string> cache = new("--cache") { Description = "A folder that keeps results by model, runtime and inputs.", HelpName = "DIR" };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        seconds.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && double.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out double value) && !(value > 0 && value <= 3600))
                result.AddError($"--seconds must be above 0 and at most 3600, not {result.Tokens[0].Value}.");
        });
        var command = new Command("profile", "Measures how long each layer of a model takes on this machine.") { model, threads, seconds, cache, dimensions, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            IReadOnlyDictionary<string, long> sizes = SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []);
            using OnnxModel opened = OnnxModel.Open(result.GetRequiredValue(model), new OnnxModelOptions { FreeDimensions = sizes }, cancellationToken);
            var profiler = new LayerProfiler(
                new OnnxPartitionRuntime(new OnnxRuntimeOptions { IntraOpThreads = result.GetValue(threads) }),
                new LayerProfilerOptions { Duration = TimeSpan.FromSeconds(result.GetValue(seconds)), CacheFolder = result.GetValue(cache), FreeDimensions = sizes });
            LayerProfile profile = await Tables.Status.Progress().AutoClear(true).StartAsync(async context =>
            {
                ProgressTask progress = context.AddTask("profiling", maxValue: 1);
                return await profiler.ProfileAsync(opened, null, new Progress<double>(share => progress.Value = share), cancellationToken);
            });
            if (result.GetValue(json))
                PrintJson(opened.Graph, profile);
            else
                Print(opened.Graph, profile);
            return CommandLine.Fine;
        });
        return command;
    }

    private static void Print(ModelGraph graph, LayerProfile profile)
    {
        Table table = Tables.Create($"{graph.Name} on {profile.Runtime}", ">#", "layer", "operators", ">time", ">share", ">speed");
        foreach (Layer layer in graph.Layers)
        {
            double seconds = profile.LayerSeconds[layer.Index];
            table.Add(
                layer.Index.ToString(CultureInfo.InvariantCulture),
                layer.Name,
                layer.Kind,
                Units.Milliseconds(seconds),
                Units.Percent(seconds / profile.ModelSeconds),
                seconds > 0 ? Units.OperationsPerSecond(layer.FloatOperations / seconds) : "");
        }
        table.Caption = new TableTitle($"the whole model takes {Units.Milliseconds(profile.ModelSeconds)}");
        Tables.Console.Write(table);
    }

    private static void PrintJson(ModelGraph graph, LayerProfile profile) => Json.Print(new
    {
        model = graph.Name,
        runtime = profile.Runtime,
        modelSeconds = profile.ModelSeconds,
        layers = graph.Layers.Select(layer => new { index = layer.Index, name = layer.Name, kind = layer.Kind, seconds = profile.LayerSeconds[layer.Index] }),
    });
}

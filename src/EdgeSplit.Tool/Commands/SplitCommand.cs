using System.Collections.Immutable;
using System.CommandLine;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Onnx.Splitting;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit split</c>: writes the parts of a model as ONNX files.</summary>
internal static class SplitCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<int?> stages = new("--stages") { Description = "Split into this many stages of about equal work.", HelpName = "N" };
        Option<string[]> at = new("--at") { Description = "Cut at these tensors; repeat for further cuts, in the order of the model.", HelpName = "TENSOR[,TENSOR...]", DefaultValueFactory = _ => [] };
        Option<string> plan = new("--plan") { Description = "Split as a plan file assigns layers to devices.", HelpName = "PLAN.json" };
        Option<string> output = new("--out") { Description = "The folder to write stage-K.onnx and split.json to; made where missing.", HelpName = "DIR", Required = true };
        Option<bool> external = new("--external-data") { Description = "Write weights to stage-K.onnx.data beside each stage. Stages above 2 GiB always do." };
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        stages.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int count) && count < 1)
                result.AddError($"--stages must be 1 or more, not {count}.");
        });
        var command = new Command("split", "Writes the parts of a model as ONNX files, with split.json that says how they fit together.")
        {
            model, stages, at, plan, output, external, dimensions, json,
        };
        command.Validators.Add(result =>
        {
            // Whether an option is given, not its value: one that does not parse is reported by itself.
            int ways = new Option[] { stages, at, plan }.Count(option => result.GetResult(option) is { Implicit: false });
            if (ways != 1)
                result.AddError("Say how to split: one of --stages, --at and --plan.");
        });
        command.SetAction(async (result, cancellationToken) =>
        {
            string path = result.GetRequiredValue(model);
            string folder = result.GetRequiredValue(output);
            var options = new OnnxModelOptions { FreeDimensions = SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []) };
            using Cutting cutting = result switch
            {
                _ when result.GetValue(stages) is int count => Cutting.IntoStages(path, count, options, cancellationToken),
                _ when result.GetValue(plan) is string file => Cutting.ByPlan(path, file, options, cancellationToken),
                _ => Cutting.AtTensors(path, [.. (result.GetValue(at) ?? []).Select(static cut => cut.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))], options, cancellationToken),
            };
            foreach (string remark in CutRemarks.Of(cutting, path, options, cancellationToken))
                Console.Error.WriteLine(remark);
            SplitManifest manifest = await WriteAsync(cutting, path, folder, result.GetValue(external), cancellationToken);
            if (result.GetValue(json))
                Console.Out.WriteLine(manifest.ToJson());
            else
                Print(cutting, manifest, folder);
            return CommandLine.Fine;
        });
        return command;
    }

    private static async Task<SplitManifest> WriteAsync(Cutting cutting, string path, string folder, bool externalData, CancellationToken cancellationToken)
    {
        // Every part is taken before the first is written: a cut that is not legal leaves no files behind.
        ImmutableArray<ModelPartition> partitions = [.. cutting.Stages.Select(stage => cutting.Model.Extract(stage))];
        Directory.CreateDirectory(folder);
        var stages = ImmutableArray.CreateBuilder<SplitStage>();
        foreach (ModelPartition partition in partitions)
        {
            string id = $"stage-{stages.Count}";
            await PartitionWriter.WriteAsync(partition, cutting.Model, Path.Combine(folder, $"{id}.onnx"), externalData, cancellationToken);
            stages.Add(new SplitStage(id, $"{id}.onnx", [.. partition.Inputs.Select(static input => input.Name)], [.. partition.Outputs.Select(static output => output.Name)]));
        }
        var manifest = new SplitManifest
        {
            Model = path,
            Inputs = [.. cutting.Model.Inputs.Select(static input => input.Name)],
            Outputs = [.. cutting.Model.Outputs.Select(static output => output.Name)],
            Stages = stages.ToImmutable(),
        };
        await File.WriteAllTextAsync(Path.Combine(folder, "split.json"), manifest.ToJson() + "\n", cancellationToken);
        return manifest;
    }

    private static void Print(Cutting cutting, SplitManifest manifest, string folder)
    {
        ModelGraph graph = cutting.Model.Graph;
        Table table = Tables.Create($"{graph.Name} in {folder}", "stage", ">layers", ">operations", ">file", "inputs", "outputs");
        foreach ((SplitStage stage, ImmutableArray<int> layers) in manifest.Stages.Zip(cutting.Stages))
        {
            string file = Path.Combine(folder, stage.Model);
            table.Add(
                stage.Id,
                layers.Length.ToString(),
                Units.Operations(layers.Sum(layer => graph.Layers[layer].FloatOperations)),
                Units.Bytes(new FileInfo(file).Length + (File.Exists(file + ".data") ? new FileInfo(file + ".data").Length : 0)),
                string.Join(", ", stage.Inputs),
                string.Join(", ", stage.Outputs));
        }
        Tables.Console.Write(table);
    }
}

using System.CommandLine;
using EdgeSplit.Models;
using EdgeSplit.Onnx;
using EdgeSplit.Partitioning;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit inspect</c>: what a model is made of and where to cut it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        Argument<string> model = SharedArguments.Model();
        Option<bool> operators = new("--operators") { Description = "List every operator instead of the groups that should stay together." };
        Option<int> cuts = SharedArguments.Count("--cuts", 10, 0, "How many good places to cut to show.");
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        var command = new Command("inspect", "Shows a model's layers, operators, parameters, operations, activation sizes, and good places to cut it.")
        {
            model, operators, cuts, dimensions, json,
        };
        command.SetAction(result =>
        {
            using OnnxModel opened = OnnxModel.Open(result.GetRequiredValue(model), new OnnxModelOptions
            {
                Grouping = result.GetValue(operators) ? LayerGrouping.Operators : LayerGrouping.Fused,
                FreeDimensions = SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []),
            });
            var goodCuts = CutPoints.FindGood(opened.Graph, result.GetValue(cuts));
            if (result.GetValue(json))
                PrintJson(opened, goodCuts);
            else
                PrintTables(opened, goodCuts);
            return CommandLine.Fine;
        });
        return command;
    }

    private static void PrintTables(OnnxModel model, IReadOnlyList<CutPoint> cuts)
    {
        ModelGraph graph = model.Graph;
        Table summary = Tables.Create(graph.Name, "property", "value");
        foreach ((string name, string value) in Summary(model))
            summary.Add(name, value);
        Tables.Console.Write(summary);

        Table operators = Tables.Create("Operators", "operator", ">count");
        foreach ((string type, int count) in model.Summary.OperatorCounts.OrderByDescending(static pair => pair.Value).ThenBy(static pair => pair.Key, StringComparer.Ordinal))
            operators.Add(type, count.ToString());
        Tables.Console.Write(operators);

        Table layers = Tables.Create("Layers", ">#", "layer", "operators", ">operations", ">weights", ">output", "outputs");
        foreach (Layer layer in graph.Layers)
        {
            layers.Add(
                layer.Index.ToString(),
                layer.Name,
                layer.Kind,
                Units.Operations(layer.FloatOperations),
                Units.Bytes(layer.Weights.Sum(weight => graph.Weights[weight].ByteCount)),
                Units.Bytes(layer.Outputs.Sum(output => graph.Activations[output].ByteCount)),
                string.Join("; ", layer.Outputs.Select(output => $"{graph.Activations[output].Info.Name} {graph.Activations[output].Info}")));
        }
        Tables.Console.Write(layers);

        Table good = Tables.Create("Good places to cut, fewest bytes first", "--at", ">bytes", ">operations before", ">lost fusion");
        foreach (CutPoint cut in cuts)
            good.Add(TensorNames(graph, cut), Units.Bytes(cut.ByteCount), Units.Percent(cut.FloatOperationsBefore), Units.Percent(cut.Penalty));
        Tables.Console.Write(good);
    }

    private static IEnumerable<(string Name, string Value)> Summary(OnnxModel model)
    {
        yield return ("inputs", string.Join("; ", model.Inputs.Select(static input => $"{input.Name}: {input}")));
        yield return ("outputs", string.Join("; ", model.Outputs.Select(static output => $"{output.Name}: {output}")));
        yield return ("format", $"IR {model.Summary.IrVersion}, {string.Join(", ", model.Summary.OperatorSets.Select(static set => $"{(set.Key.Length == 0 ? "ai.onnx" : set.Key)} {set.Value}"))}");
        yield return ("producer", model.Summary.Producer);
        yield return ("parameters", $"{model.Summary.ParameterCount:N0} ({Units.Bytes(model.Graph.WeightBytes)})");
        yield return ("operations", Units.Operations(model.Graph.FloatOperations));
        yield return ("layers", $"{model.Graph.Layers.Length} of {model.Summary.OperatorCounts.Values.Sum()} operators");
    }

    private static void PrintJson(OnnxModel model, IReadOnlyList<CutPoint> cuts)
    {
        ModelGraph graph = model.Graph;
        Json.Print(new
        {
            name = graph.Name,
            irVersion = model.Summary.IrVersion,
            operatorSets = model.Summary.OperatorSets,
            producer = model.Summary.Producer,
            inputs = model.Inputs.Select(Describe),
            outputs = model.Outputs.Select(Describe),
            parameters = model.Summary.ParameterCount,
            weightBytes = graph.WeightBytes,
            floatOperations = graph.FloatOperations,
            operators = model.Summary.OperatorCounts,
            layers = graph.Layers.Select(layer => new
            {
                index = layer.Index,
                name = layer.Name,
                kind = layer.Kind,
                floatOperations = layer.FloatOperations,
                weightBytes = layer.Weights.Sum(weight => graph.Weights[weight].ByteCount),
                inputs = layer.Inputs.Select(input => graph.Activations[input].Info.Name),
                outputs = layer.Outputs.Select(output => new
                {
                    name = graph.Activations[output].Info.Name,
                    elementType = graph.Activations[output].Info.ElementType,
                    shape = Shape(graph.Activations[output].Info),
                    byteCount = graph.Activations[output].ByteCount,
                    canTravel = graph.Activations[output].CanTravel,
                }),
            }),
            cuts = cuts.Select(cut => new
            {
                at = cut.Activations.Select(activation => graph.Activations[activation].Info.Name),
                afterLayer = cut.AfterLayer,
                byteCount = cut.ByteCount,
                operationsBefore = cut.FloatOperationsBefore,
                penalty = cut.Penalty,
            }),
        });
    }

    private static object Describe(Tensors.TensorInfo info) => new { name = info.Name, elementType = info.ElementType, shape = Shape(info) };

    private static IEnumerable<string>? Shape(Tensors.TensorInfo info) =>
        info.Dimensions.IsDefault ? null : info.Dimensions.Select(static dimension => dimension.ToString());

    private static string TensorNames(ModelGraph graph, CutPoint cut) =>
        string.Join(',', cut.Activations.Select(activation => graph.Activations[activation].Info.Name));
}

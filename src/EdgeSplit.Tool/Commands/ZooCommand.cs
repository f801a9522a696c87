using System.CommandLine;
using EdgeSplit.ModelZoo;
using EdgeSplit.Tool.Output;
using Spectre.Console;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit zoo</c>: writes models of real topologies with seeded weights, to try things on.</summary>
internal static class ZooCommand
{
    public static Command Create()
    {
        Option<bool> json = SharedArguments.Json();
        var list = new Command("list", "Lists the models that can be built.") { json };
        list.SetAction(result =>
        {
            if (result.GetValue(json))
                Json.Print(Zoo.Entries.Select(static entry => new { name = entry.Name, description = entry.Description, parameters = entry.ParameterCount }));
            else
                PrintTable();
            return CommandLine.Fine;
        });

        Argument<string> name = new("name") { Description = "The model, as 'edgesplit zoo list' names it.", HelpName = "NAME" };
        Option<string> output = new("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        Option<int> seed = new("--seed") { Description = "The seed of the weights.", HelpName = "N" };
        var build = new Command("build", "Builds a model with seeded weights as an ONNX file.") { name, output, seed };
        build.SetAction((result, cancellationToken) => Task.Run(() =>
        {
            ZooEntry entry = Zoo.Get(result.GetRequiredValue(name));
            string path = result.GetRequiredValue(output);
            entry.Write(path, result.GetValue(seed), cancellationToken: cancellationToken);
            Console.Out.WriteLine($"{path}: {entry.Description}, {entry.ParameterCount:N0} parameters, {Units.Bytes(new FileInfo(path).Length)}");
            return CommandLine.Fine;
        }, cancellationToken));

        return new Command("zoo", "Builds well-known topologies with seeded weights, to try EdgeSplit on.") { list, build };
    }

    private static void PrintTable()
    {
        Table table = Tables.Create("Model zoo", "name", "description", ">parameters");
        foreach (ZooEntry entry in Zoo.Entries)
            table.Add(entry.Name, entry.Description, entry.ParameterCount.ToString("N0"));
        Tables.Console.Write(table);
    }
}

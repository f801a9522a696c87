using System.CommandLine;
using System.Globalization;
using EdgeSplit.Coordination;
using EdgeSplit.Devices;
using EdgeSplit.Onnx;
using EdgeSplit.Tool.Output;
using Spectre.Console;
using Link = EdgeSplit.Devices.Link;

namespace EdgeSplit.Tool.Commands;

/// <summary><c>edgesplit fleet probe</c>: writes what real agents and the links to them are like.</summary>
internal static class FleetCommand
{
    public static Command Create()
    {
        var agents = new FleetArguments();
        Option<string> output = new("--out") { Description = "The file to write.", HelpName = "FLEET.json", DefaultValueFactory = _ => "fleet.json" };
        Option<string> model = new("--model") { Description = "Measure this model's layers on the agents too, for --profile seconds (default 3), and add them to the fleet.", HelpName = "MODEL" };
        var profiling = new ProfilingArguments();
        Option<string[]> dimensions = SharedArguments.Dimensions();
        Option<bool> json = SharedArguments.Json();
        var probe = new Command("probe", "Asks agents what they are, measures the links to them, and writes a fleet file for 'edgesplit plan'.") { output, model, dimensions, json };
        agents.AddTo(probe);
        profiling.AddTo(probe);
        probe.SetAction(async (result, cancellationToken) =>
        {
            await using var coordinator = new Coordinator(new OnnxModelFormat());
            await using FleetConnection connection = await agents.ConnectAsync(result, coordinator, cancellationToken);
            string path = result.GetRequiredValue(output);
            FleetDescription fleet = coordinator.DescribeFleet();
            if (result.GetValue(model) is { } modelPath)
            {
                ProfilingArguments.Settings settings = profiling.Read(result);
                fleet = await AddLayersAsync(fleet, modelPath, SharedArguments.ParseDimensions(result.GetValue(dimensions) ?? []), settings with { Seconds = settings.Seconds ?? 3 }, coordinator, cancellationToken);
            }
            FleetFile.Write(path, fleet);
            if (result.GetValue(json))
                Console.Out.WriteLine(await File.ReadAllTextAsync(path, cancellationToken));
            else
                Print(fleet, path);
            return CommandLine.Fine;
        });
        return new Command("fleet", "Describes devices and links.") { probe };
    }

    private static async Task<FleetDescription> AddLayersAsync(
        FleetDescription fleet, string path, IReadOnlyDictionary<string, long> dimensions, ProfilingArguments.Settings profiling, Coordinator coordinator, CancellationToken cancellationToken)
    {
        using OnnxModel model = OnnxModel.Open(path, new OnnxModelOptions { FreeDimensions = dimensions }, cancellationToken);
        using InputTensors inputs = InputTensors.Load(model.Inputs, ["random"], 0, dimensions);
        return fleet with { LayerSeconds = fleet.LayerSeconds.SetItem(model.Graph.Name, await profiling.ProfileAsync(model, inputs.ByName, coordinator, cancellationToken)) };
    }

    private static void Print(FleetDescription description, string path)
    {
        Fleet fleet = description.Fleet;
        Table table = Tables.Create(path, "device", ">speed", ">memory speed", ">memory", ">latency to coordinator", ">bandwidth");
        for (int device = 0; device < fleet.Devices.Length; device++)
        {
            Device described = fleet.Devices[device];
            Link link = description.SourceDevice < 0 ? Link.Local : fleet.LinkBetween(device, description.SourceDevice);
            table.Add(
                described.Id,
                Units.OperationsPerSecond(described.FlopsPerSecond),
                $"{Units.Bytes(described.MemoryBytesPerSecond)}/s",
                described.MemoryBytes == long.MaxValue ? "" : Units.Bytes(described.MemoryBytes),
                string.Create(CultureInfo.InvariantCulture, $"{link.Latency.TotalMicroseconds:0} µs"),
                double.IsInfinity(link.BytesPerSecond) ? "" : $"{Units.Bytes(link.BytesPerSecond)}/s");
        }
        Tables.Console.Write(table);
    }
}

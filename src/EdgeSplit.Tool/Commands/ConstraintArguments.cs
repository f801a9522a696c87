using System.Collections.Immutable;
using System.CommandLine;
using EdgeSplit.Devices;
using EdgeSplit.Models;
using EdgeSplit.Partitioning;

namespace EdgeSplit.Tool.Commands;

/// <summary>What a plan must satisfy beyond the memory and load of the fleet's devices. A layer is given by its name or its number in <c>edgesplit inspect</c>.</summary>
internal sealed class ConstraintArguments
{
    private readonly Option<string[]> _pins = Repeated("--pin", "LAYER=DEVICE", "A layer that must run on a device; repeat for several. LAYER is a name or number that 'edgesplit inspect' lists.");
    private readonly Option<string[]> _forbidden = Repeated("--forbid", "LAYER=DEVICE", "A device that must not run a layer; repeat for several.");
    private readonly Option<string[]> _colocated = Repeated("--colocate", "LAYER,LAYER[,LAYER...]", "Layers that run on one device, whichever; repeat for further groups.");
    private readonly Option<int> _private = SharedArguments.Count("--private-layers", 0, 0, "How many of the first layers stay on the fleet's source device, so that no other sees the inputs.");
    private readonly Option<int?> _devices = new("--max-devices") { Description = "The most devices that the plan may use.", HelpName = "N" };

    public ConstraintArguments() => _devices.Validators.Add(option =>
    {
        if (option.Tokens.Count == 1 && int.TryParse(option.Tokens[0].Value, out int count) && count < 1)
            option.AddError($"--max-devices must be 1 or more, not {count}.");
    });

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _pins, _forbidden, _colocated, _private, _devices })
            command.Add(option);
    }

    /// <summary>The constraints on a model's plan on a fleet.</summary>
    /// <exception cref="BadUsageException">An option is not of the form that it takes, contradicts another, or needs what the fleet file does not say.</exception>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.NotFound"/>: the model has no such layer, or the fleet no such device.</exception>
    public PlanConstraints Read(ParseResult result, ModelGraph graph, FleetDescription fleet)
    {
        var names = new Names(graph, fleet.Fleet);
        var pinned = new Dictionary<int, string>();
        foreach (string text in result.GetValue(_pins) ?? [])
        {
            (int layer, string device) = names.Pair("--pin", text);
            if (pinned.TryGetValue(layer, out string? other) && other != device)
                throw new BadUsageException($"--pin puts layer '{graph.Layers[layer].Name}' both on '{other}' and on '{device}'.");
            pinned[layer] = device;
        }
        int privateLayers = result.GetValue(_private);
        if (privateLayers > graph.Layers.Length)
            throw new BadUsageException($"--private-layers is {privateLayers}; '{graph.Name}' has {graph.Layers.Length} layers.");
        if (privateLayers > 0 && fleet.SourceDevice < 0)
            throw new BadUsageException("--private-layers needs to know where the inputs are: name the device as \"source\" in the fleet file.");
        return new PlanConstraints
        {
            Pinned = pinned.ToImmutableDictionary(),
            Forbidden = [.. (result.GetValue(_forbidden) ?? []).Select(text => names.Pair("--forbid", text))],
            Colocated = [.. (result.GetValue(_colocated) ?? []).Select(names.Group)],
            PrivateLeadingLayers = privateLayers,
            MaximumDevices = result.GetValue(_devices),
        };
    }

    private static Option<string[]> Repeated(string name, string form, string description) =>
        new(name) { Description = description, HelpName = form, DefaultValueFactory = _ => [] };

    /// <summary>The layers and devices that options may name.</summary>
    private sealed class Names(ModelGraph graph, Fleet fleet)
    {
        private readonly ILookup<string, int> _layers = graph.Layers.ToLookup(static layer => layer.Name, static layer => layer.Index);

        public (int Layer, string Device) Pair(string option, string text)
        {
            // Names of layers may have a '=' too; ids of devices seldom have.
            int separator = text.LastIndexOf('=');
            if (separator <= 0 || separator == text.Length - 1)
                throw new BadUsageException($"{option} '{text}' is not LAYER=DEVICE.");
            string device = text[(separator + 1)..];
            if (fleet.IndexOf(device) < 0)
            {
                throw new EdgeSplitException(EdgeSplitError.NotFound,
                    $"{option} '{text}': the fleet has no device '{device}'. It has {Some([.. fleet.Devices.Select(static known => known.Id)])}.");
            }
            return (Layer(option, text[..separator]), device);
        }

        public ImmutableArray<int> Group(string text)
        {
            string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (parts.Length < 2)
                throw new BadUsageException($"--colocate '{text}' is not LAYER,LAYER[,LAYER...]: it takes two layers or more.");
            return [.. parts.Select(part => Layer("--colocate", part))];
        }

        private int Layer(string option, string name)
        {
            int[] named = [.. _layers[name]];
            if (named.Length == 1)
                return named[0];
            if (named.Length > 1)
                throw new BadUsageException($"{option}: '{graph.Name}' has {named.Length} layers named '{name}'; give the number that 'edgesplit inspect' lists.");
            if (int.TryParse(name, out int index) && index >= 0 && index < graph.Layers.Length)
                return index;
            string[] similar = [.. graph.Layers.Select(static layer => layer.Name).Where(known => known.Contains(name, StringComparison.OrdinalIgnoreCase))];
            throw new EdgeSplitException(EdgeSplitError.NotFound,
                $"{option}: '{graph.Name}' has no layer '{name}'. {(similar.Length > 0 ? $"Similar: {Some(similar)}." : $"'edgesplit inspect' lists its {graph.Layers.Length} layers.")}");
        }

        private static string Some(string[] names) =>
            string.Join(", ", names.Take(5).Select(static name => $"'{name}'")) + (names.Length > 5 ? $" and {names.Length - 5} more" : "");
    }
}

using System.Collections.Immutable;
using EdgeSplit.Agents;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Where values go on one route of a plan, worked out once per epoch. A value that passes between stages, comes in or goes out has a
/// slot; a request holds one tensor for each.
/// </summary>
internal sealed class RequestRoutes
{
    /// <summary>Works out the routes.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>: a value is needed that no earlier stage makes.</exception>
    /// <param name="model">The model.</param>
    /// <param name="partitions">The partitions of the stages, in an order in which they can run.</param>
    /// <param name="direct">Which stages hand tensors to each other; null for none.</param>
    public RequestRoutes(ISplittableModel model, IReadOnlyList<ModelPartition> partitions, DirectRoutes? direct = null)
    {
        var slots = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (TensorInfo input in model.Inputs)
            slots.TryAdd(input.Name, slots.Count);
        InputCount = slots.Count;
        InputNames = [.. model.Inputs.Select(static input => input.Name)];

        var readers = new Dictionary<int, List<int>>();
        var stages = new StageRoute[partitions.Count];
        for (int stage = 0; stage < stages.Length; stage++)
        {
            ModelPartition partition = partitions[stage];
            foreach (TensorInfo input in partition.Inputs)
            {
                if (!slots.TryGetValue(input.Name, out int slot))
                    throw Missing(model, $"stage {stage} needs '{input.Name}', which no stage before it makes");
                if (!readers.TryGetValue(slot, out List<int>? list))
                    readers.Add(slot, list = []);
                list.Add(stage);
            }
            stages[stage] = new StageRoute(
                new NameTable(partition.Inputs.Select(static input => input.Name)),
                [.. partition.Inputs.Select(input => slots[input.Name])],
                [.. partition.Outputs.Select(static output => output.Name)],
                [.. partition.Outputs.Select(output => slots.TryAdd(output.Name, slots.Count) ? slots[output.Name]
                    : throw Missing(model, $"'{output.Name}' is made twice"))]);
        }

        DirectVersion = direct?.Version ?? 0;
        SlotCount = slots.Count;
        Stages = [.. stages];
        if (direct is not null)
            LeaveToAgents(model, direct, slots, readers);
        OutputNames = new NameTable(model.Outputs.Select(static output => output.Name));
        OutputSlots = [.. model.Outputs.Select(output => slots.TryGetValue(output.Name, out int slot) ? slot
            : throw Missing(model, $"no stage makes the output '{output.Name}'"))];
        Readers = [.. Enumerable.Range(0, SlotCount).Select(slot => readers.TryGetValue(slot, out List<int>? list) ? list.ToArray() : [])];
        Uses = [.. Enumerable.Range(0, SlotCount).Select(slot => Readers[slot].Length + OutputSlots.Count(output => output == slot))];
        Pending = [.. Stages.Select(stage => stage.InputSlots.Count(slot => slot >= InputCount))];
        FirstStages = [.. Enumerable.Range(0, Stages.Length).Where(stage => Pending[stage] == 0)];
        IsChain = Stages.Length == 0 || (!IsDirect && (FirstStages.Length == 1 && Enumerable.Range(0, Stages.Length).All(IsFollowedByAtMostOne)));
    }

    /// <summary>The position in the plan of each stage.</summary>
    public required ImmutableArray<int> Numbers { get; init; }

    /// <summary>The slots before this one hold the model's inputs.</summary>
    public int InputCount { get; }

    public int SlotCount { get; }

    public ImmutableArray<string> InputNames { get; }

    public NameTable OutputNames { get; }

    /// <summary>The slot of each of the model's outputs; an input's where the model passes it through.</summary>
    public int[] OutputSlots { get; }

    public StageRoute[] Stages { get; }

    /// <summary>The stages that read a slot.</summary>
    public int[][] Readers { get; }

    /// <summary>How often a slot is needed: by stages, and as an output of the model.</summary>
    public int[] Uses { get; }

    /// <summary>How many values that other stages make a stage waits for.</summary>
    public int[] Pending { get; }

    /// <summary>The stages that need nothing but the model's inputs.</summary>
    public int[] FirstStages { get; }

    /// <summary>The version of the links between agents that the ways rest on.</summary>
    public int DirectVersion { get; }

    /// <summary>Whether agents hand some tensors to each other.</summary>
    public bool IsDirect { get; private set; }

    /// <summary>Whether no two stages ever run, or wait on their agents, at the same time.</summary>
    public bool IsChain { get; }

    /// <summary>Takes what agents hand to each other out of what passes through the coordinator: out of inputs, outputs and readers.</summary>
    private void LeaveToAgents(ISplittableModel model, DirectRoutes direct, Dictionary<string, int> slots, Dictionary<int, List<int>> readers)
    {
        HashSet<int> results = [.. model.Outputs.Where(output => slots.ContainsKey(output.Name)).Select(output => slots[output.Name])];
        var awaited = new List<string>[Stages.Length];
        var deliveries = new List<(int Reader, PeerDelivery Delivery)>[Stages.Length];
        for (int stage = 0; stage < Stages.Length; stage++)
        {
            StageRoute route = Stages[stage];
            deliveries[stage] = [];
            foreach (int reader in route.OutputSlots.SelectMany(slot => readers.GetValueOrDefault(slot) ?? []).Distinct().ToArray())
            {
                if (!direct.IsDirect(stage, reader))
                    continue;
                string[] names = [.. route.OutputNames.Where((_, i) => readers.GetValueOrDefault(route.OutputSlots[i])?.Contains(reader) ?? false)];
                deliveries[stage].Add((reader, direct.Deliver(stage, reader, names)));
                (awaited[reader] ??= []).AddRange(names);
                foreach (string name in names)
                    readers[slots[name]].Remove(reader);
            }
        }
        for (int stage = 0; stage < Stages.Length; stage++)
        {
            List<string> waits = awaited[stage] ?? [];
            if (waits.Count == 0 && deliveries[stage].Count == 0)
                continue;
            IsDirect = true;
            StageRoute route = Stages[stage];
            int[] inputs = [.. Enumerable.Range(0, route.InputSlots.Length).Where(i => !waits.Contains(route.InputNames.Names[i]))];
            // What nobody reads is not sent back either.
            int[] outputs = [.. Enumerable.Range(0, route.OutputSlots.Length).Where(i => results.Contains(route.OutputSlots[i]) || readers.GetValueOrDefault(route.OutputSlots[i]) is { Count: > 0 })];
            string[] returned = [.. outputs.Select(i => route.OutputNames[i])];
            Stages[stage] = new StageRoute(
                new NameTable(inputs.Select(i => route.InputNames.Names[i])), [.. inputs.Select(i => route.InputSlots[i])], returned, [.. outputs.Select(i => route.OutputSlots[i])])
            {
                Exchange = new PeerExchange([.. waits], [.. deliveries[stage].Select(static pair => pair.Delivery)], [.. returned]),
                DeliveredTo = [.. deliveries[stage].Select(static pair => pair.Reader)],
            };
        }
    }

    private bool IsFollowedByAtMostOne(int stage)
    {
        // Stages are in topological order, so each but the last must feed the next.
        return stage == Stages.Length - 1 || Stages[stage].OutputSlots.Any(slot => Readers[slot].Contains(stage + 1));
    }

    private static EdgeSplitException Missing(ISplittableModel model, string what) =>
        new(EdgeSplitError.IllegalCut, $"The plan of model '{model.Graph.Name}' cannot run: {what}. Let a partitioner or the StageBuilder order its stages.");
}

/// <summary>The values that one stage takes and makes, as far as they pass through the coordinator.</summary>
internal sealed record StageRoute(NameTable InputNames, int[] InputSlots, string[] OutputNames, int[] OutputSlots)
{
    /// <summary>What the stage's agent exchanges with others; null for nothing.</summary>
    public PeerExchange? Exchange { get; init; }

    /// <summary>Whether tensors pass between the coordinator and the stage's agent.</summary>
    public bool PassesTensors => InputSlots.Length + OutputSlots.Length > 0;

    /// <summary>The stages that read what is delivered, one for each delivery.</summary>
    public int[] DeliveredTo { get; init; } = [];
}

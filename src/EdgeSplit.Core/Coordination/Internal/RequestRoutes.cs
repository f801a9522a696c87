using System.Collections.Immutable;
using EdgeSplit.Models;
using EdgeSplit.Tensors;

namespace EdgeSplit.Coordination.Internal;

/// <summary>
/// Where values go in a plan, worked out once per epoch. A value that passes between stages, comes in or goes out has a
/// slot; a request holds one tensor for each.
/// </summary>
internal sealed class RequestRoutes
{
    /// <summary>Works out the routes.</summary>
    /// <exception cref="EdgeSplitException"><see cref="EdgeSplitError.IllegalCut"/>: a value is needed that no earlier stage makes.</exception>
    public RequestRoutes(ISplittableModel model, IReadOnlyList<ModelPartition> partitions)
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

        SlotCount = slots.Count;
        Stages = [.. stages];
        OutputNames = new NameTable(model.Outputs.Select(static output => output.Name));
        OutputSlots = [.. model.Outputs.Select(output => slots.TryGetValue(output.Name, out int slot) ? slot
            : throw Missing(model, $"no stage makes the output '{output.Name}'"))];
        Readers = [.. Enumerable.Range(0, SlotCount).Select(slot => readers.TryGetValue(slot, out List<int>? list) ? list.ToArray() : [])];
        Uses = [.. Enumerable.Range(0, SlotCount).Select(slot => Readers[slot].Length + OutputSlots.Count(output => output == slot))];
        Pending = [.. Stages.Select(stage => stage.InputSlots.Count(slot => slot >= InputCount))];
        FirstStages = [.. Enumerable.Range(0, Stages.Length).Where(stage => Pending[stage] == 0)];
        IsChain = Stages.Length == 0 || (FirstStages.Length == 1 && Enumerable.Range(0, Stages.Length).All(IsFollowedByAtMostOne));
    }

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

    /// <summary>Whether no two stages ever run at the same time.</summary>
    public bool IsChain { get; }

    private bool IsFollowedByAtMostOne(int stage)
    {
        // Stages are in topological order, so each but the last must feed the next.
        return stage == Stages.Length - 1 || Stages[stage].OutputSlots.Any(slot => Readers[slot].Contains(stage + 1));
    }

    private static EdgeSplitException Missing(ISplittableModel model, string what) =>
        new(EdgeSplitError.IllegalCut, $"The plan of model '{model.Graph.Name}' cannot run: {what}. Let a partitioner or the StageBuilder order its stages.");
}

/// <summary>The values that one stage takes and makes.</summary>
internal sealed record StageRoute(NameTable InputNames, int[] InputSlots, string[] OutputNames, int[] OutputSlots);

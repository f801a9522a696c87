namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The most bytes of activations that one request holds on a device. A value from elsewhere is held throughout, as a stage
/// keeps its inputs; a value for elsewhere from its making on; any other from its making until its last reader has run.
/// Not thread-safe.
/// </summary>
internal sealed class ActivationMemory(CompiledGraph graph)
{
    private readonly int[] _lookOf = new int[graph.ValueCount];
    private int _look;

    /// <param name="assignment">The device of each layer; the layers run in ascending order.</param>
    /// <param name="device">The device.</param>
    public long PeakBytes(ReadOnlySpan<int> assignment, int device)
    {
        int look = ++_look;
        long fromElsewhere = 0;
        long live = 0;
        long peak = 0;
        for (int layer = 0; layer < assignment.Length; layer++)
        {
            if (assignment[layer] != device)
                continue;
            foreach (int output in graph.Outputs(layer))
                live += graph.Bytes[output];
            foreach (int input in graph.Inputs(layer))
            {
                if (_lookOf[input] != look && !IsOn(assignment, graph.Producers[input], device))
                    fromElsewhere += graph.Bytes[input];
                _lookOf[input] = look;
            }
            peak = Math.Max(peak, live);
            foreach (int input in graph.Inputs(layer))
            {
                if (IsLastReader(assignment, input, layer, device))
                    live -= graph.Bytes[input];
            }
            foreach (int output in graph.Outputs(layer))
            {
                if (graph.Consumers(output).IsEmpty && !graph.IsOutput[output])
                    live -= graph.Bytes[output];
            }
        }
        return fromElsewhere + peak;
    }

    private static bool IsOn(ReadOnlySpan<int> assignment, int layer, int device) => layer >= 0 && assignment[layer] == device;

    /// <summary>Whether a value made on the device is needed nowhere else and by no later layer.</summary>
    private bool IsLastReader(ReadOnlySpan<int> assignment, int value, int layer, int device)
    {
        ReadOnlySpan<int> consumers = graph.Consumers(value);
        if (consumers[^1] != layer || graph.IsOutput[value] || !IsOn(assignment, graph.Producers[value], device))
            return false;
        foreach (int consumer in consumers)
        {
            if (assignment[consumer] != device)
                return false;
        }
        return true;
    }
}

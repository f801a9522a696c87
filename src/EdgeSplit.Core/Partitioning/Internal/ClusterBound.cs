namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The bottleneck that one unit alone forces: whatever else is on its device, computing that and exchanging values with the rest
/// keeps the device busy for at least a minimum cut, as that load is a submodular function of what is on the device.
/// </summary>
internal sealed class ClusterBound(PlacementModel model, PlacementUnits units, DeviceKinds kinds)
{
    /// <summary>
    /// With overlap a load is the largest of computing, sending and receiving, so any mean of them is below it: the shares that
    /// computing has in the means that are tried.
    /// </summary>
    private static readonly double[] ComputeShares = [0.2, 0.5];

    /// <summary>Steps per node that a flow takes, about, in the budget's units.</summary>
    private const int WorkPerNode = 24;

    /// <summary>Raises a bound of the bottleneck unit by unit, those first that could raise it most.</summary>
    public double Raise(double bound, WorkBudget budget)
    {
        foreach ((int unit, double most) in Enumerable.Range(0, units.Count).Select(unit => (unit, Alone(unit))).OrderByDescending(static pair => pair.Item2))
        {
            // The unit alone on its device is one of the sets that the minimum is over.
            if (most <= bound)
                break;
            double least = double.PositiveInfinity;
            foreach (int[] members in kinds.Members)
            {
                if (least <= bound || !units.IsAllowed(unit, members[0]))
                    continue;
                double load = 0;
                foreach (double share in model.Overlap ? ComputeShares : [1.0])
                {
                    if (!budget.Spend(WorkPerNode * (units.Count + model.Graph.ValueCount)))
                        return bound;
                    load = Math.Max(load, LeastLoad(unit, members[0], share));
                }
                least = Math.Min(least, load);
            }
            bound = Math.Max(bound, least);
        }
        return bound;
    }

    /// <summary>The least load of a device with a unit alone on it: no minimum for the unit is above.</summary>
    private double Alone(int unit)
    {
        double least = double.PositiveInfinity;
        foreach (int[] members in kinds.Members)
        {
            int device = members[0];
            if (!units.IsAllowed(unit, device))
                continue;
            double exchanged = 0;
            foreach (int value in units.Values[unit])
                exchanged += LeastSend(value, device) + LeastReceive(value, device);
            least = Math.Min(least, (units.SecondsOf(unit, device) + exchanged) / (model.Overlap ? 1 : model.Slots[device]));
        }
        return least;
    }

    /// <summary>The least load that a device can have with a unit on it.</summary>
    private double LeastLoad(int unit, int device, double computeShare)
    {
        double slots = model.Slots[device];
        double computeWeight = (model.Overlap ? computeShare : 1) / slots;
        double transferWeight = model.Overlap ? (1 - computeShare) / 2 : 1 / slots;
        var flow = new MaximumFlow();
        int source = flow.AddNode();
        int sink = flow.AddNode();
        var nodes = new int[units.Count];
        for (int other = 0; other < units.Count; other++)
        {
            nodes[other] = flow.AddNode();
            // On the source's side a unit is on the device.
            flow.AddArc(nodes[other], sink, units.IsAllowed(other, device) ? computeWeight * units.SecondsOf(other, device) : double.PositiveInfinity);
        }
        flow.AddArc(source, nodes[unit], double.PositiveInfinity);
        for (int value = 0; value < model.Graph.ValueCount; value++)
            AddValue(flow, nodes, sink, value, device, transferWeight);
        return flow.Run(source, sink);
    }

    private void AddValue(MaximumFlow flow, int[] nodes, int sink, int value, int device, double weight)
    {
        int producer = model.Graph.Producers[value];
        double send = weight * LeastSend(value, device);
        double receive = weight * LeastReceive(value, device);
        int[] readers = [.. model.Graph.Consumers(value).ToArray().Select(layer => nodes[units.UnitOf[layer]]).Distinct()];
        if (producer < 0)
        {
            // Any reader on the device makes it receive the input, unless it is the source itself.
            if (receive > 0 && readers.Length > 0)
            {
                int gate = flow.AddNode();
                flow.AddArc(gate, sink, receive);
                foreach (int reader in readers)
                    flow.AddArc(reader, gate, double.PositiveInfinity);
            }
            return;
        }
        int maker = nodes[units.UnitOf[producer]];
        if (model.Graph.IsOutput[value] && model.Source >= 0 && model.Source != device)
        {
            flow.AddArc(maker, sink, send);
            send = 0;
        }
        readers = [.. readers.Where(reader => reader != maker)];
        if (readers.Length == 1)
        {
            flow.AddArc(maker, readers[0], send, receive);
        }
        else if (readers.Length > 1)
        {
            int sending = flow.AddNode();
            int receiving = flow.AddNode();
            flow.AddArc(maker, sending, send);
            flow.AddArc(receiving, maker, receive);
            foreach (int reader in readers)
            {
                flow.AddArc(sending, reader, double.PositiveInfinity);
                flow.AddArc(reader, receiving, double.PositiveInfinity);
            }
        }
    }

    private double LeastSend(int value, int device) => model.Shared[device] ? Least(value, device, isSending: true) : 0;

    private double LeastReceive(int value, int device)
    {
        if (!model.Shared[device])
            return 0;
        if (model.Graph.Producers[value] >= 0)
            return Least(value, device, isSending: false);
        return model.Source < 0 || model.Source == device ? 0 : model.TransferSeconds(value, model.IsRelayed(model.Source, device) ? model.Relay : model.Source, device);
    }

    private double Least(int value, int device, bool isSending)
    {
        double least = double.PositiveInfinity;
        for (int other = 0; other < model.DeviceCount; other++)
        {
            // A relayed pair's own link carries nothing.
            if (other != device && !(isSending ? model.IsRelayed(device, other) : model.IsRelayed(other, device)))
                least = Math.Min(least, isSending ? model.TransferSeconds(value, device, other) : model.TransferSeconds(value, other, device));
        }
        return double.IsFinite(least) ? least : 0;
    }
}

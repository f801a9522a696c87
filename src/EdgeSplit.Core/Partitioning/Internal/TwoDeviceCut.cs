namespace EdgeSplit.Partitioning.Internal;

/// <summary>
/// The assignment to two devices with the least sum of layer and transfer costs, as a minimum cut (Hu et al., "Dynamic
/// Adaptive DNN Surgery for Inference Acceleration on the Edge", INFOCOM 2019). A value that several layers of the other side read costs once.
/// </summary>
internal static class TwoDeviceCut
{
    /// <param name="model">The model.</param>
    /// <param name="units">Its units.</param>
    /// <param name="first">A device.</param>
    /// <param name="second">Another.</param>
    /// <param name="layerCost">What a layer costs on a device.</param>
    /// <param name="transferCost">What a value costs that goes from one of the devices to the other.</param>
    /// <returns>The assignment with its cost, or null where some unit may be on neither device.</returns>
    public static (int[] Assignment, double Cost)? Solve(PlacementModel model, PlacementUnits units, int first, int second, Func<int, int, double> layerCost, Func<int, int, int, double> transferCost)
    {
        var flow = new MaximumFlow();
        int source = flow.AddNode();
        int sink = flow.AddNode();
        var nodes = new int[units.Count];
        for (int unit = 0; unit < units.Count; unit++)
        {
            bool mayFirst = units.IsAllowed(unit, first);
            bool maySecond = units.IsAllowed(unit, second);
            if (!mayFirst && !maySecond)
                return null;
            nodes[unit] = flow.AddNode();
            // On the source's side a unit is on the first device, and its arc to the sink is cut.
            flow.AddArc(nodes[unit], sink, mayFirst ? units.Layers[unit].Sum(layer => layerCost(layer, first)) : double.PositiveInfinity);
            flow.AddArc(source, nodes[unit], maySecond ? units.Layers[unit].Sum(layer => layerCost(layer, second)) : double.PositiveInfinity);
        }
        for (int value = 0; value < model.Graph.ValueCount; value++)
        {
            int maker = NodeOfMaker(value);
            if (maker < 0)
                continue;
            AddValue(value, maker, first, second, true);
            AddValue(value, maker, second, first, false);
        }
        double cost = flow.Run(source, sink);
        int[] assignment = [.. units.UnitOf.Select(unit => flow.IsOnSourceSide(nodes[unit]) ? first : second)];
        return (assignment, cost);

        int NodeOfMaker(int value)
        {
            int producer = model.Graph.Producers[value];
            return producer >= 0 ? nodes[units.UnitOf[producer]] : NodeOfDevice(model.Source);
        }

        int NodeOfDevice(int device) => device == first ? source : device == second ? sink : -1;

        void AddValue(int value, int maker, int from, int to, bool isForward)
        {
            List<int> readers = [.. model.Graph.Consumers(value).ToArray().Select(layer => nodes[units.UnitOf[layer]]).Distinct()];
            readers.Remove(maker);
            double penalty = model.Graph.CutPenalties[value];
            if (penalty > 0 && model.Graph.Producers[value] is >= 0 and int producer)
            {
                AddOnce(maker, readers, penalty * layerCost(producer, from), isForward);
                foreach (int consumer in model.Graph.Consumers(value))
                    AddDirected(maker, nodes[units.UnitOf[consumer]], penalty * layerCost(consumer, to), isForward);
            }
            if (model.Graph.IsOutput[value] && model.Graph.Producers[value] >= 0 && NodeOfDevice(model.Source) is >= 0 and int there)
                readers.Add(there);
            AddOnce(maker, readers, transferCost(value, from, to), isForward);
        }

        // Forward the cost is paid where the maker is on the source's side and some reader is not; backward the other way round.
        void AddOnce(int maker, List<int> readers, double cost, bool isForward)
        {
            if (readers.Count == 0 || !(cost > 0))
                return;
            if (readers.Count == 1)
            {
                AddDirected(maker, readers[0], cost, isForward);
                return;
            }
            int gate = flow.AddNode();
            AddDirected(maker, gate, cost, isForward);
            foreach (int reader in readers)
                AddDirected(gate, reader, double.PositiveInfinity, isForward);
        }

        void AddDirected(int from, int to, double capacity, bool isForward)
        {
            if (isForward)
                flow.AddArc(from, to, capacity);
            else
                flow.AddArc(to, from, capacity);
        }
    }
}

namespace EdgeSplit.Partitioning.Internal;

/// <summary>What a second of each device's computing, sending and receiving is priced at.</summary>
/// <param name="Compute">By device, for computing.</param>
/// <param name="Up">By device, for sending.</param>
/// <param name="Down">By device, for receiving.</param>
internal sealed record LoadPrices(double[] Compute, double[] Up, double[] Down)
{
    /// <summary>The rows that loads are compared in: computing, sending and receiving of each device, or without overlap their sum.</summary>
    public static int RowCount(PlacementModel model) => model.Overlap ? 3 * model.DeviceCount : model.DeviceCount;

    /// <summary>The loads of an assignment, row by row: their largest is its bottleneck.</summary>
    public static double[] RowsOf(PlacementModel model, PlacementLoads loads) => RowsOf(model, loads.Compute, loads.Up, loads.Down);

    /// <summary>The rows of seconds of computing, sending and receiving by device.</summary>
    public static double[] RowsOf(PlacementModel model, double[] compute, double[] up, double[] down)
    {
        int devices = model.DeviceCount;
        var rows = new double[RowCount(model)];
        for (int device = 0; device < devices; device++)
        {
            if (!model.Overlap)
            {
                rows[device] = (compute[device] + up[device] + down[device]) / model.Slots[device];
                continue;
            }
            rows[device] = compute[device] / model.Slots[device];
            rows[devices + device] = up[device];
            rows[(2 * devices) + device] = down[device];
        }
        return rows;
    }

    /// <summary>The prices of seconds that follow from prices of rows.</summary>
    public static LoadPrices Of(PlacementModel model, double[] rows)
    {
        int devices = model.DeviceCount;
        double[] compute = [.. Enumerable.Range(0, devices).Select(device => rows[device] / model.Slots[device])];
        return model.Overlap ? new LoadPrices(compute, rows[devices..(2 * devices)], rows[(2 * devices)..]) : new LoadPrices(compute, compute, compute);
    }

    /// <summary>What an assignment's loads cost.</summary>
    public double Of(PlacementLoads loads)
    {
        double sum = 0;
        for (int device = 0; device < Compute.Length; device++)
            sum += (Compute[device] * loads.Compute[device]) + (Up[device] * loads.Up[device]) + (Down[device] * loads.Down[device]);
        return sum;
    }
}

namespace EdgeSplit.Costs;

/// <summary>The parts of a <see cref="PlanCost"/> that a cost model looks at.</summary>
[Flags]
public enum PlanMeasures
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><see cref="PlanCost.LatencySeconds"/>.</summary>
    Latency = 1,

    /// <summary><see cref="PlanCost.BottleneckSeconds"/>.</summary>
    Bottleneck = 2,

    /// <summary><see cref="PlanCost.TransferredBytes"/>.</summary>
    TransferredBytes = 4,

    /// <summary><see cref="PlanCost.EnergyJoules"/>.</summary>
    Energy = 8,

    /// <summary><see cref="PlanCost.LoadImbalance"/>.</summary>
    LoadImbalance = 16,

    /// <summary>Everything.</summary>
    All = Latency | Bottleneck | TransferredBytes | Energy | LoadImbalance,
}

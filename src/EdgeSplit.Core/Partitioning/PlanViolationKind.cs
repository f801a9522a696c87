namespace EdgeSplit.Partitioning;

/// <summary>Which constraint a plan breaks.</summary>
public enum PlanViolationKind
{
    /// <summary>A layer is on a device that cannot run it.</summary>
    Unsupported,

    /// <summary>A value would cross between devices that cannot travel.</summary>
    IllegalCut,

    /// <summary>A device lacks memory.</summary>
    Memory,

    /// <summary>A device would be taken beyond its allowed load.</summary>
    Load,

    /// <summary>A pinned layer is elsewhere.</summary>
    Pinned,

    /// <summary>A layer is on a device that is forbidden to it.</summary>
    Forbidden,

    /// <summary>Layers of one group are on different devices.</summary>
    Colocation,

    /// <summary>A leading layer has left the source device.</summary>
    Privacy,

    /// <summary>More devices are in use than allowed.</summary>
    MaximumDevices,

    /// <summary>A layer is on more devices than allowed.</summary>
    MaximumReplicas,
}

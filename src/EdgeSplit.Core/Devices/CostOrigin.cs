namespace EdgeSplit.Devices;

/// <summary>Where a figure that planning uses comes from.</summary>
public enum CostOrigin
{
    /// <summary>A default or a guess; nothing was measured.</summary>
    Assumed,

    /// <summary>Stated by a user or a fleet file.</summary>
    Configured,

    /// <summary>Derived from measured peak rates of the device.</summary>
    Calibrated,

    /// <summary>Measured on the device for this very model.</summary>
    Profiled,
}

namespace EdgeSplit.Devices;

/// <summary>A fleet, with where requests come from.</summary>
/// <param name="Fleet">The devices and links.</param>
/// <param name="SourceDevice">The position of the device where requests come from and results go; -1 where both are free of cost.</param>
public sealed record FleetDescription(Fleet Fleet, int SourceDevice);

namespace EdgeSplit.Models;

/// <summary>A constant of the model that layers read: stored, sent and held in memory once per device.</summary>
/// <param name="Index">The position in <see cref="ModelGraph.Weights"/>.</param>
/// <param name="Name">The name in the model.</param>
/// <param name="ByteCount">The size in bytes.</param>
public sealed record Weight(int Index, string Name, long ByteCount);

namespace EdgeSplit.Simulation;

/// <summary>Something that happened in a simulation.</summary>
/// <param name="At">When, from when requests start to come.</param>
/// <param name="Text">What, in words.</param>
public sealed record SimulationNote(TimeSpan At, string Text);

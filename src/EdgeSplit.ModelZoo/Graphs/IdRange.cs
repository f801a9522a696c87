namespace EdgeSplit.ModelZoo.Graphs;

/// <summary>The whole numbers from <paramref name="First"/> up to, not including, <paramref name="End"/>.</summary>
internal readonly record struct IdRange(long First, long End);

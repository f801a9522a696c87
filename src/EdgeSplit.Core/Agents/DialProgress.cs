namespace EdgeSplit.Agents;

/// <summary>What became of an agent's connection to its coordinator.</summary>
/// <param name="IsConnected">Whether it is connected now.</param>
/// <param name="Reason">Why it is not; empty when it is.</param>
/// <param name="NextTry">The time until the next try; zero when it is connected.</param>
public sealed record DialProgress(bool IsConnected, string Reason, TimeSpan NextTry);

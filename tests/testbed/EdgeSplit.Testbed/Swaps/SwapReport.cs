using EdgeSplit.Testbed.Load;

namespace EdgeSplit.Testbed.Swaps;

/// <summary>What came of a <see cref="SwapRun"/>.</summary>
/// <param name="Swaps">The number of switches.</param>
/// <param name="MedianSwap">From asking for a plan until the old one was drained and unloaded.</param>
/// <param name="Quiet">The requests while one plan stayed.</param>
/// <param name="During">The requests while plans were switched.</param>
/// <param name="QuietBytes">The agents' memory, resident and shared pages counted once, while one plan stayed; median.</param>
/// <param name="DuringBytes">The same while plans were switched; median.</param>
/// <param name="PeakBytes">The most while plans were switched.</param>
public sealed record SwapReport(
    int Swaps, TimeSpan MedianSwap, IReadOnlyList<LoadOutcome> Quiet, IReadOnlyList<LoadOutcome> During, long QuietBytes, long DuringBytes, long PeakBytes);

namespace EdgeSplit.OrTools.Internal;

/// <summary>Turns costs into the whole numbers that CP-SAT needs, rounded so that no bound gets too high.</summary>
/// <param name="Tick">The cost of one tick.</param>
internal readonly record struct TickScale(double Tick)
{
    /// <summary>Ticks of the cost that a scale is made for.</summary>
    private const double Resolution = 1e7;

    /// <summary>Costs above this are taken for it: far above any plan worth having, and sums of them fit 64 bits.</summary>
    public const long Most = 1L << 40;

    public static TickScale For(double cost) => new(cost > 0 && double.IsFinite(cost) ? cost / Resolution : 1);

    /// <summary>Whole ticks, rounded down.</summary>
    public long Floor(double cost) => (long)Math.Min(Most, Math.Floor(cost / Tick * (1 - 1e-12)));

    /// <summary>Whole ticks, rounded up.</summary>
    public long Ceiling(double cost) => (long)Math.Min(Most, Math.Ceiling(cost / Tick * (1 + 1e-12)));
}

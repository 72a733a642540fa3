namespace Assay.Analyzer.Score.Statistics;

/// <summary>Wilson's score interval at 95 %: for one cell of independent answers, and where a bootstrap is degenerate.</summary>
internal static class Wilson
{
    private const double Z = 1.959963984540054;

    public static (double Low, double High) Interval(double proportion, double n)
    {
        if (n <= 0)
            return (0, 1);
        var p = Math.Clamp(proportion, 0, 1);
        var z2 = Z * Z;
        var centre = (p + z2 / (2 * n)) / (1 + z2 / n);
        var half = Z / (1 + z2 / n) * Math.Sqrt(p * (1 - p) / n + z2 / (4 * n * n));
        // The ends are exact at 0 and 1; floating point is not.
        return (p <= 0 ? 0 : Math.Max(0, centre - half), p >= 1 ? 1 : Math.Min(1, centre + half));
    }

    public static Estimate Of(int successes, int n)
    {
        if (n == 0)
            return Estimate.Nothing;
        var (low, high) = Interval((double)successes / n, n);
        return new Estimate((double)successes / n, low, high, n);
    }
}

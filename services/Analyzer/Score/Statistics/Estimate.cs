namespace Assay.Analyzer.Score.Statistics;

/// <summary>A number with its 95 % interval and the count of observations behind it. No value means: nothing to measure, never zero.</summary>
internal sealed record Estimate(double? Value, double? Low, double? High, int N)
{
    public static Estimate Nothing { get; } = new(null, null, null, 0);
}

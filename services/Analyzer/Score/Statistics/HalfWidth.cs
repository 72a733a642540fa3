using Assay.Contracts.Internal;

namespace Assay.Analyzer.Score.Statistics;

/// <summary>What precision a number of calls buys.</summary>
internal static class HalfWidth
{
    /// <summary>The expected half-width of the 95 % interval of visibility, by the formula that quotes use too.</summary>
    public static double Expected(int queries, int engines, int runs) => ExpectedPrecision.HalfWidth(queries, engines, runs);
}

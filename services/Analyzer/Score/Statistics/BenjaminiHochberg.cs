namespace Assay.Analyzer.Score.Statistics;

/// <summary>Controls the share of false discoveries among the comparisons of one page.</summary>
internal static class BenjaminiHochberg
{
    public const double DefaultRate = .1;

    /// <summary>Which of the hypotheses are rejected at the given false discovery rate.</summary>
    public static bool[] Rejected(IReadOnlyList<double> pValues, double rate = DefaultRate)
    {
        var order = Enumerable.Range(0, pValues.Count).OrderBy(i => pValues[i]).ToArray();
        var last = -1;
        for (var k = 0; k < order.Length; k++)
        {
            if (pValues[order[k]] <= (k + 1) * rate / order.Length)
                last = k;
        }

        var rejected = new bool[pValues.Count];
        for (var k = 0; k <= last; k++)
            rejected[order[k]] = true;
        return rejected;
    }
}

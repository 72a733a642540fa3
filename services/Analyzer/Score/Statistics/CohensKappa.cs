namespace Assay.Analyzer.Score.Statistics;

/// <summary>Agreement of two judges beyond chance.</summary>
internal static class CohensKappa
{
    /// <summary>κ = (p_o − p_e) / (1 − p_e); null when there is nothing to compare or both judges always say the same one thing.</summary>
    public static double? Of<T>(IReadOnlyList<(T First, T Second)> pairs)
        where T : notnull
    {
        if (pairs.Count == 0)
            return null;
        var n = (double)pairs.Count;
        var first = pairs.GroupBy(p => p.First).ToDictionary(g => g.Key, g => g.Count() / n);
        var second = pairs.GroupBy(p => p.Second).ToDictionary(g => g.Key, g => g.Count() / n);
        var observed = pairs.Count(p => EqualityComparer<T>.Default.Equals(p.First, p.Second)) / n;
        var expected = first.Sum(f => f.Value * second.GetValueOrDefault(f.Key));
        return 1 - expected < 1e-12 ? null : (observed - expected) / (1 - expected);
    }
}

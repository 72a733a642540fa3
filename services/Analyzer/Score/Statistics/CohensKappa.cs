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

    /// <summary>κ with its 95 % interval: clusters (queries) are resampled with all their pairs.</summary>
    public static Estimate ByCluster<T>(IReadOnlyList<(string Cluster, T First, T Second)> pairs, int replicates = ClusterBootstrap.DefaultReplicates, ulong seed = 20260101)
        where T : notnull
    {
        if (Of([.. pairs.Select(p => (p.First, p.Second))]) is not { } kappa)
            return new Estimate(null, null, null, pairs.Count);
        List<T> values = [.. pairs.Select(p => p.First).Concat(pairs.Select(p => p.Second)).Distinct()];
        var clusters = pairs.GroupBy(p => p.Cluster, StringComparer.Ordinal).ToList();
        var width = values.Count * values.Count;
        // One contingency table per cluster: resampling adds them up.
        var rows = new double[clusters.Count * width];
        for (var c = 0; c < clusters.Count; c++)
            foreach (var pair in clusters[c])
                rows[(c * width) + (values.IndexOf(pair.First) * values.Count) + values.IndexOf(pair.Second)]++;
        var sums = ClusterBootstrap.Sums(rows, width, replicates, seed);
        var resampled = new double[replicates];
        for (var r = 0; r < replicates; r++)
            resampled[r] = OfTable(sums.AsSpan(r * width, width), values.Count);
        if (ClusterBootstrap.Percentiles(resampled) is { } found && found.High - found.Low > 1e-12)
            return new Estimate(kappa, found.Low, found.High, pairs.Count);
        // All queries alike: the bootstrap knows no spread; Wilson with n = queries, on the scale of −1 to 1.
        var (low, high) = Wilson.Interval((kappa + 1) / 2, clusters.Count);
        return new Estimate(kappa, (2 * low) - 1, (2 * high) - 1, pairs.Count);
    }

    private static double OfTable(ReadOnlySpan<double> table, int size)
    {
        var (total, same, expected) = (0.0, 0.0, 0.0);
        foreach (var count in table)
            total += count;
        for (var i = 0; i < size; i++)
        {
            same += table[(i * size) + i];
            var (first, second) = (0.0, 0.0);
            for (var j = 0; j < size; j++)
                (first, second) = (first + table[(i * size) + j], second + table[(j * size) + i]);
            expected += first * second;
        }

        (same, expected) = (same / total, expected / (total * total));
        return 1 - expected < 1e-12 ? double.NaN : (same - expected) / (1 - expected);
    }
}

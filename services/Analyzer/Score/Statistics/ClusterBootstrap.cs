using System.Numerics;
using System.Runtime.CompilerServices;

namespace Assay.Analyzer.Score.Statistics;

/// <summary>
/// Resamples whole clusters (queries, with all their answers) and adds up their sums. Answers to one query resemble each
/// other; an interval that treats them as independent is too narrow (METRICS.md: 61 % coverage instead of 95 %).
/// </summary>
internal static class ClusterBootstrap
{
    /// <summary>
    /// For loops over all replicates: millions of steps in the first audit already, which unoptimised take seconds, and a service that has just
    /// started compiles so much that it would stay at that for minutes. Code compiled ahead leaves vectors out.
    /// </summary>
    internal const MethodImplOptions Loops = MethodImplOptions.AggressiveOptimization;

    public const int DefaultReplicates = 2000;

    /// <summary>
    /// The sums of <paramref name="width"/> columns over <paramref name="replicates"/> resamples of the rows,
    /// row-major. Equal seeds and row counts draw equal resamples, which is what pairs two tables of the same queries.
    /// </summary>
    [MethodImpl(Loops)]
    public static double[] Sums(ReadOnlySpan<double> rows, int width, int replicates, ulong seed)
    {
        var clusters = width == 0 ? 0 : rows.Length / width;
        var sums = new double[replicates * width];
        if (clusters == 0)
            return sums;
        var random = new SeededRandom(seed);
        var counts = new int[clusters];
        for (var r = 0; r < replicates; r++)
        {
            Array.Clear(counts);
            for (var i = 0; i < clusters; i++)
                counts[random.Below(clusters)]++;
            var target = sums.AsSpan(r * width, width);
            for (var c = 0; c < clusters; c++)
            {
                if (counts[c] > 0)
                    AddScaled(target, rows.Slice(c * width, width), counts[c]);
            }
        }

        return sums;
    }

    /// <summary>The 2.5 and 97.5 percentiles; undefined replicates (NaN) are left out. Null when fewer than half are defined.</summary>
    [MethodImpl(Loops)]
    public static (double Low, double High)? Percentiles(Span<double> values)
    {
        var n = 0;
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(values[i]))
                values[n++] = values[i];
        }

        if (n == 0 || n * 2 < values.Length)
            return null;
        var defined = values[..n];
        var k = Math.Max(0, (int)Math.Floor(.025 * (n + 1)) - 1);
        var low = Select(defined, k);
        var high = Select(defined, n - 1 - k);
        return (low, high);
    }

    /// <summary>Two-sided p-value of "no difference" from resampled differences.</summary>
    [MethodImpl(Loops)]
    public static double PValue(ReadOnlySpan<double> differences)
    {
        var (below, above, n) = (1, 1, 1);
        foreach (var d in differences)
        {
            if (double.IsNaN(d))
                continue;
            n++;
            below += d <= 0 ? 1 : 0;
            above += d >= 0 ? 1 : 0;
        }

        return Math.Min(1, 2.0 * Math.Min(below, above) / n);
    }

    [MethodImpl(Loops)]
    private static void AddScaled(Span<double> target, ReadOnlySpan<double> row, double factor)
    {
        var i = 0;
        var scale = new Vector<double>(factor);
        for (; i <= row.Length - Vector<double>.Count; i += Vector<double>.Count)
            (new Vector<double>(target[i..]) + new Vector<double>(row[i..]) * scale).CopyTo(target[i..]);
        for (; i < row.Length; i++)
            target[i] += row[i] * factor;
    }

    // Quickselect with a median-of-three pivot: two percentiles need no full sort.
    [MethodImpl(Loops)]
    private static double Select(Span<double> values, int k)
    {
        var (low, high) = (0, values.Length - 1);
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            if (values[middle] < values[low])
                (values[middle], values[low]) = (values[low], values[middle]);
            if (values[high] < values[low])
                (values[high], values[low]) = (values[low], values[high]);
            if (values[high] < values[middle])
                (values[high], values[middle]) = (values[middle], values[high]);
            var pivot = values[middle];
            var (i, j) = (low, high);
            while (i <= j)
            {
                while (values[i] < pivot)
                    i++;
                while (values[j] > pivot)
                    j--;
                if (i <= j)
                {
                    (values[i], values[j]) = (values[j], values[i]);
                    i++;
                    j--;
                }
            }

            if (k <= j)
                high = j;
            else if (k >= i)
                low = i;
            else
                return values[k];
        }

        return values[k];
    }
}

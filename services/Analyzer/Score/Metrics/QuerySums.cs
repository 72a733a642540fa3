using System.Runtime.CompilerServices;
using Assay.Analyzer.Score.Statistics;

namespace Assay.Analyzer.Score.Metrics;

/// <summary>
/// Every metric is a ratio of sums over queries. This table holds, per query and brand, the sums; scoring adds rows up,
/// resampling adds up other choices of the same rows.
/// </summary>
internal sealed class QuerySums
{
    // One brand's columns.
    internal const int WeightedShare = 0;
    internal const int Weight = 1;
    internal const int Valid = 2;
    internal const int Mentions = 3;
    internal const int AllTracked = 4;
    internal const int AllDetected = 5;
    internal const int InverseRank = 6;
    internal const int AllInverseRank = 7;
    internal const int RankSum = 8;
    internal const int Firsts = 9;
    internal const int FirstThrees = 10;
    internal const int Recommendations = 11;
    internal const int Cited = 12;
    internal const int Searched = 13;
    internal const int Positive = 14;
    internal const int Neutral = 15;
    internal const int Negative = 16;
    internal const int Context = 17;
    internal const int ContextAnswers = 18;
    internal const int PositionShare = 19;
    internal const int GeoPosition = 20;
    internal const int GeoWords = 21;
    internal const int WithCitations = 22;
    internal const int Columns = 23;

    /// <summary>The headline needs ten clauses before it speaks of a tone.</summary>
    private const int FewestClauses = 10;

    private QuerySums(int brands, IReadOnlyList<string> queries, double[] rows)
    {
        Brands = brands;
        Queries = queries;
        Rows = rows;
    }

    public int Brands { get; }
    public IReadOnlyList<string> Queries { get; }

    /// <summary>Row-major: a row per query, in it <see cref="Columns"/> columns per brand.</summary>
    public double[] Rows { get; }

    public int Width => Brands * Columns;

    /// <summary>Adds up valid answers by query; the rows stand in the order given, or of first appearance.</summary>
    public static QuerySums Of(IEnumerable<ScoredAnswer> answers, int brands, IReadOnlyList<string>? order = null)
    {
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        var queries = new List<string>();
        foreach (var query in order ?? [])
        {
            if (index.TryAdd(query, queries.Count))
                queries.Add(query);
        }

        var byQuery = queries.ConvertAll(_ => new List<ScoredAnswer>());
        foreach (var answer in answers)
        {
            if (!answer.IsValid)
                continue;
            if (!index.TryGetValue(answer.Query, out var q))
            {
                if (order is not null)
                    continue;
                index.Add(answer.Query, q = queries.Count);
                queries.Add(answer.Query);
                byQuery.Add([]);
            }

            byQuery[q].Add(answer);
        }

        var width = brands * Columns;
        var rows = new double[queries.Count * width];
        for (var q = 0; q < queries.Count; q++)
        {
            for (var b = 0; b < brands; b++)
                AddUp(byQuery[q], b, rows.AsSpan(q * width + b * Columns, Columns));
        }

        return new QuerySums(brands, queries, rows);
    }

    public double[] Total()
    {
        var total = new double[Width];
        for (var i = 0; i < Rows.Length; i++)
            total[i % Width] += Rows[i];
        return total;
    }

    /// <summary>Evaluates all metrics in the order of <see cref="Metric.All"/> from one brand's sums; NaN where there is nothing to measure.</summary>
    [MethodImpl(ClusterBootstrap.Loops)]
    public static void Evaluate(ReadOnlySpan<double> s, bool withSentiment, Span<double> values)
    {
        values[0] = Ratio(s[WeightedShare], s[Weight]);
        values[1] = Ratio(s[Mentions], s[AllTracked]);
        values[2] = Ratio(s[Mentions], s[AllDetected]);
        values[3] = Ratio(s[InverseRank], s[AllInverseRank]);
        values[4] = Ratio(s[RankSum], s[Mentions]);
        values[5] = Ratio(s[InverseRank], s[Valid]);
        values[6] = Ratio(s[Firsts], s[Valid]);
        values[7] = Ratio(s[FirstThrees], s[Valid]);
        values[8] = Ratio(s[Recommendations], s[Valid]);
        values[9] = Ratio(s[Cited], s[Searched]);
        values[10] = withSentiment ? Ratio(s[Positive] - s[Negative], s[Positive] + s[Neutral] + s[Negative]) : double.NaN;
        values[11] = Ratio(s[Context], s[ContextAnswers]);
        values[12] = Ratio(s[PositionShare], s[Valid]);
        values[13] = Ratio(s[GeoPosition], s[WithCitations]);
        values[14] = Ratio(s[GeoWords], s[WithCitations]);
        values[15] = Overall(values[0], values[5], values[8], values[9], values[10]);
    }

    public static bool HasEnoughClauses(ReadOnlySpan<double> s) => s[Positive] + s[Neutral] + s[Negative] >= FewestClauses;

    /// <summary>How many observations stand behind each metric, in the order of <see cref="Metric.All"/>.</summary>
    public static void Observations(ReadOnlySpan<double> s, Span<int> n)
    {
        n.Fill((int)s[Valid]);
        n[1] = n[3] = (int)s[AllTracked];
        n[2] = (int)s[AllDetected];
        n[4] = (int)s[Mentions];
        n[9] = (int)s[Searched];
        n[10] = (int)(s[Positive] + s[Neutral] + s[Negative]);
        n[11] = (int)s[ContextAnswers];
        n[13] = n[14] = (int)s[WithCitations];
    }

    /// <summary>Overall v1: 100 (.40 V + .20 MRR + .20 recommendation + .10 citation + .10 V (sentiment + 1)/2), missing inputs renormalised.</summary>
    public static double Overall(double visibility, double mrr, double recommendation, double citation, double sentiment)
    {
        if (double.IsNaN(visibility))
            return double.NaN;
        var (sum, weight) = (0.0, 0.0);
        Add(.40, visibility);
        Add(.20, mrr);
        Add(.20, recommendation);
        Add(.10, citation);
        Add(.10, visibility * (sentiment + 1) / 2);
        return 100 * sum / weight;

        void Add(double share, double value)
        {
            if (double.IsNaN(value))
                return;
            sum += share * value;
            weight += share;
        }
    }

    private static double Ratio(double numerator, double denominator) => denominator > 0 ? numerator / denominator : double.NaN;

    private static void AddUp(List<ScoredAnswer> answers, int brand, Span<double> s)
    {
        if (answers.Count == 0)
            return;
        foreach (var answer in answers)
        {
            var own = answer.Brands[brand];
            s[Valid]++;
            foreach (var other in answer.Brands)
            {
                if (!other.Mentioned)
                    continue;
                s[AllTracked]++;
                s[AllDetected]++;
                s[AllInverseRank] += other.Rank is > 0 and var r ? 1.0 / r : 0;
            }

            s[AllDetected] += answer.OtherBrands.Count;
            if (own.Mentioned)
            {
                s[Mentions]++;
                s[RankSum] += own.Rank ?? 0;
                s[InverseRank] += own.Rank is > 0 and var rank ? 1.0 / rank : 0;
                s[Firsts] += own.Rank is 1 ? 1 : 0;
                s[FirstThrees] += own.Rank is <= 3 ? 1 : 0;
            }

            s[Recommendations] += own.Recommendation >= .75 ? 1 : 0;
            if (answer.SearchOn)
            {
                s[Searched]++;
                s[Cited] += own.Cited ? 1 : 0;
            }

            s[Positive] += own.PositiveClauses;
            s[Neutral] += own.NeutralClauses;
            s[Negative] += own.NegativeClauses;
            if (brand == 0 && answer.ContextCompleteness is { } context)
            {
                s[Context] += context;
                s[ContextAnswers]++;
            }

            s[PositionShare] += own.PositionShare;
            if (answer.HasCitations)
            {
                s[WithCitations]++;
                s[GeoPosition] += own.CitedPositionShare;
                s[GeoWords] += own.CitedWordShare;
            }
        }

        s[Weight] = answers[0].Weight;
        s[WeightedShare] = answers[0].Weight * s[Mentions] / s[Valid];
    }
}

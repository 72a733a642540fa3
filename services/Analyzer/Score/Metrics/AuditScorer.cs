using System.Runtime.CompilerServices;
using Assay.Analyzer.Score.Statistics;

namespace Assay.Analyzer.Score.Metrics;

/// <summary>Scores an audit: every metric of METRICS.md with its interval, over all, per engine, query category, query and competitor.</summary>
internal static class AuditScorer
{
    private static readonly string[] Compared = [Metric.Visibility, Metric.ShareOfVoice, Metric.Mrr, Metric.RecommendationRate];
    private static readonly string[] ComparedOverTime = [Metric.Visibility, Metric.ShareOfVoice, Metric.Mrr, Metric.RecommendationRate, Metric.CitationRate, Metric.NetSentiment, Metric.Overall];

    // What is shown of a competitor for one engine or category; the rest only over all.
    private static readonly string[] OfCompetitorsInParts = [Metric.Visibility, Metric.ShareOfVoice, Metric.Mrr];

    /// <summary>What a number of calls buys: the expected half-width of visibility's 95 % interval.</summary>
    public static double ExpectedHalfWidth(int queries, int engines, int runs) => HalfWidth.Expected(queries, engines, runs);

    public static AuditScores Score(IReadOnlyList<ScoredAnswer> answers, ScoringOptions? options = null)
    {
        options ??= new ScoringOptions();
        var brands = answers.Count == 0 ? 0 : answers[0].Brands.Count;
        foreach (var answer in answers)
        {
            if (answer.Brands.Count != brands)
                throw new ArgumentException($"The answer of {answer.Engine} to '{answer.Query}' tells about {answer.Brands.Count} brands, the first one about {brands}: read all answers with the same lexicon.", nameof(answers));
        }

        var panel = answers.Where(a => !a.IsControl).ToList();
        var unbranded = panel.FindAll(a => !a.IsBranded);
        var branded = panel.FindAll(a => a.IsBranded);
        var overall = new Scope(unbranded, brands, options);
        var apart = new Scope(branded, brands, options with { Seed = options.Seed + 1 });
        var own = Enumerable.Range(0, brands).Select(b => new BrandScores(answers[0].Brands[b].Brand, b == 0, overall.Metrics(b))).ToList();

        return new AuditScores
        {
            MetricsVersion = Metric.Version,
            Seed = options.Seed,
            Replicates = options.Replicates,
            Scores = brands == 0 ? new MetricSet(new Dictionary<string, Estimate>(StringComparer.Ordinal)) : own[0].Scores,
            Competitors = [.. own.Skip(1)],
            Engines = Parts(unbranded, panel, a => a.Engine, brands, options),
            Categories = Parts(unbranded, unbranded, a => a.Category, Math.Min(1, brands), options),
            Queries = Queries(panel),
            Branded = apart.Metrics(0),
            DiscoveryGap = Gap(overall, apart),
            Stability = Stability(panel, options),
            FalseMentionFloor = Floor(answers),
            Comparisons = Judge(AgainstCompetitors(overall, own)),
        };
    }

    /// <summary>Compares two audits of the same panel on the queries both have, resampled together.</summary>
    public static IReadOnlyList<Comparison> Compare(IReadOnlyList<ScoredAnswer> before, IReadOnlyList<ScoredAnswer> after, ScoringOptions? options = null)
    {
        options ??= new ScoringOptions();
        var earlier = before.Where(a => a is { IsControl: false, IsBranded: false, IsValid: true }).ToList();
        var later = after.Where(a => a is { IsControl: false, IsBranded: false, IsValid: true }).ToList();
        var known = new HashSet<string>(later.Select(a => a.Query), StringComparer.Ordinal);
        var common = earlier.Select(a => a.Query).Distinct(StringComparer.Ordinal).Where(known.Contains).ToList();
        var first = new Scope(earlier, Math.Min(1, BrandCount(earlier)), options, common);
        var second = new Scope(later, Math.Min(1, BrandCount(later)), options, common);
        return Judge([.. ComparedOverTime.Select(metric => Difference(metric, "after", "before", second, 0, first, 0))]);

        static int BrandCount(List<ScoredAnswer> answers) => answers.Count == 0 ? 0 : answers[0].Brands.Count;
    }

    private static List<ScopeScores> Parts(List<ScoredAnswer> unbranded, List<ScoredAnswer> all, Func<ScoredAnswer, string> part, int brands, ScoringOptions options)
    {
        var names = all.Select(part).Distinct(StringComparer.Ordinal).ToList();
        return names.ConvertAll(name =>
        {
            var scope = new Scope(unbranded.FindAll(a => string.Equals(part(a), name, StringComparison.Ordinal)), brands, options);
            var scores = Enumerable.Range(0, brands).Select(b => new BrandScores(all[0].Brands[b].Brand, b == 0, scope.Metrics(b, b == 0 ? null : OfCompetitorsInParts)));
            var mine = all.FindAll(a => string.Equals(part(a), name, StringComparison.Ordinal));
            return new ScopeScores(name, mine.Count, mine.Count(a => a.IsValid), [.. scores]);
        });
    }

    private static List<QueryScores> Queries(List<ScoredAnswer> panel)
    {
        var scores = new List<QueryScores>();
        foreach (var group in panel.GroupBy(a => a.Query, StringComparer.Ordinal))
        {
            var valid = group.Where(a => a.IsValid && a.Brands.Count > 0).ToList();
            var ranks = valid.Where(a => a.Brands[0] is { Mentioned: true, Rank: > 0 }).Select(a => a.Brands[0].Rank!.Value).ToList();
            scores.Add(new QueryScores
            {
                Query = group.Key,
                Category = group.First().Category,
                IsBranded = group.First().IsBranded,
                Visibility = Wilson.Of(valid.Count(a => a.Brands[0].Mentioned), valid.Count),
                RecommendationRate = Wilson.Of(valid.Count(a => a.Brands[0].Recommendation >= .75), valid.Count),
                AvgPosition = ranks.Count == 0 ? null : ranks.Average(),
                Engines = group.GroupBy(a => a.Engine, StringComparer.Ordinal).ToDictionary(
                    e => e.Key,
                    e => Wilson.Of(e.Count(a => a.IsValid && a.Brands[0].Mentioned), e.Count(a => a.IsValid)),
                    StringComparer.Ordinal),
            });
        }

        return scores;
    }

    private static Estimate Gap(Scope unbranded, Scope branded)
    {
        if (unbranded.Value(0, Metric.Visibility) is not { } v || branded.Value(0, Metric.Visibility) is not { } b)
            return Estimate.Nothing;
        var n = unbranded.Sums.Queries.Count + branded.Sums.Queries.Count;
        var differences = unbranded.Replicates(0, Metric.Visibility);
        var others = branded.Replicates(0, Metric.Visibility);
        for (var r = 0; r < differences.Length; r++)
            differences[r] = others[r] - differences[r];
        var interval = ClusterBootstrap.Percentiles(differences);
        if (interval is { } found && found.High - found.Low > 1e-12)
            return new Estimate(b - v, found.Low, found.High, n);
        // Both sides are constant: add the two Wilson intervals' arms (Newcombe).
        var (vl, vh) = Wilson.Interval(v, unbranded.Sums.Queries.Count);
        var (bl, bh) = Wilson.Interval(b, branded.Sums.Queries.Count);
        return new Estimate(b - v, b - v - Math.Sqrt(Math.Pow(b - bl, 2) + Math.Pow(vh - v, 2)), b - v + Math.Sqrt(Math.Pow(bh - b, 2) + Math.Pow(v - vl, 2)), n);
    }

    // Mean pairwise Jaccard of the brands named in repeated answers of one engine to one query; two answers without any
    // brand say nothing about stability and are left out.
    private static Estimate Stability(List<ScoredAnswer> panel, ScoringOptions options)
    {
        var rows = new List<double>();
        foreach (var query in panel.Where(a => a.IsValid).GroupBy(a => a.Query, StringComparer.Ordinal))
        {
            var (sum, pairs) = (0.0, 0);
            foreach (var engine in query.GroupBy(a => a.Engine, StringComparer.Ordinal))
            {
                var sets = engine.Select(Names).ToList();
                for (var i = 0; i < sets.Count; i++)
                {
                    for (var j = i + 1; j < sets.Count; j++)
                    {
                        var shared = sets[i].Count(sets[j].Contains);
                        var union = sets[i].Count + sets[j].Count - shared;
                        if (union == 0)
                            continue;
                        sum += (double)shared / union;
                        pairs++;
                    }
                }
            }

            if (pairs > 0)
                rows.AddRange([sum, pairs]);
        }

        var table = rows.ToArray();
        return Ratio(table, options, table.Length / 2);

        static HashSet<string> Names(ScoredAnswer answer) =>
            new(answer.Brands.Where(b => b.Mentioned).Select(b => b.Brand).Concat(answer.OtherBrands), StringComparer.OrdinalIgnoreCase);
    }

    private static Estimate Ratio(double[] rows, ScoringOptions options, int queries)
    {
        var (numerator, denominator) = (0.0, 0.0);
        for (var i = 0; i + 1 < rows.Length; i += 2)
            (numerator, denominator) = (numerator + rows[i], denominator + rows[i + 1]);
        if (denominator <= 0)
            return Estimate.Nothing;
        var value = numerator / denominator;
        var sums = ClusterBootstrap.Sums(rows, 2, options.Replicates, options.Seed);
        var ratios = new double[options.Replicates];
        for (var r = 0; r < ratios.Length; r++)
            ratios[r] = sums[2 * r + 1] > 0 ? sums[2 * r] / sums[2 * r + 1] : double.NaN;
        var interval = ClusterBootstrap.Percentiles(ratios) is { } found && found.High - found.Low > 1e-12 ? found : Wilson.Interval(value, queries);
        return new Estimate(value, interval.Low, interval.High, (int)denominator);
    }

    private static Estimate Floor(IReadOnlyList<ScoredAnswer> answers)
    {
        var control = answers.Where(a => a is { IsControl: true, IsValid: true }).ToList();
        return Wilson.Of(control.Count(a => a.FictitiousMentioned), control.Count);
    }

    private static List<Comparison> AgainstCompetitors(Scope overall, List<BrandScores> brands)
    {
        var comparisons = new List<Comparison>();
        for (var b = 1; b < brands.Count; b++)
        {
            foreach (var metric in Compared)
                comparisons.Add(Difference(metric, brands[0].Brand, brands[b].Brand, overall, 0, overall, b));
        }

        return comparisons;
    }

    private static Comparison Difference(string metric, string subject, string other, Scope mine, int mineBrand, Scope theirs, int theirBrand)
    {
        var comparison = new Comparison { Metric = metric, Subject = subject, Other = other, Queries = mine.Sums.Queries.Count };
        if (mine.Value(mineBrand, metric) is not { } a || theirs.Value(theirBrand, metric) is not { } b)
            return comparison;
        var differences = mine.Replicates(mineBrand, metric);
        var others = theirs.Replicates(theirBrand, metric);
        for (var r = 0; r < differences.Length; r++)
            differences[r] -= others[r];
        var p = ClusterBootstrap.PValue(differences);
        if (ClusterBootstrap.Percentiles(differences) is not { } interval)
            return comparison with { Difference = a - b };
        return comparison with { Difference = a - b, Low = interval.Low, High = interval.High, PValue = p };
    }

    private static List<Comparison> Judge(List<Comparison> comparisons)
    {
        var rejected = BenjaminiHochberg.Rejected(comparisons.ConvertAll(c => c.PValue));
        return [.. comparisons.Select((c, i) => c with { Detectable = rejected[i] && (c.Low > 0 || c.High < 0) })];
    }

    /// <summary>One table of queries with its resamples.</summary>
    private sealed class Scope
    {
        private readonly double[] _total;
        private readonly double[] _resampled;
        private readonly int _replicates;
        private readonly Dictionary<int, double[]> _evaluated = [];

        public Scope(IEnumerable<ScoredAnswer> answers, int brands, ScoringOptions options, IReadOnlyList<string>? order = null)
        {
            Sums = QuerySums.Of(answers, brands, order);
            _total = Sums.Total();
            _replicates = options.Replicates;
            _resampled = ClusterBootstrap.Sums(Sums.Rows, Sums.Width, _replicates, options.Seed);
        }

        public QuerySums Sums { get; }

        public double? Value(int brand, string metric)
        {
            if (Sums.Queries.Count == 0)
                return null;
            Span<double> values = stackalloc double[Metric.All.Count];
            var sums = OfBrand(_total, 0, brand);
            QuerySums.Evaluate(sums, QuerySums.HasEnoughClauses(sums), values);
            var value = values[IndexOf(metric)];
            return double.IsNaN(value) ? null : value;
        }

        /// <summary>A copy of one metric's resampled values.</summary>
        [MethodImpl(ClusterBootstrap.Loops)]
        public double[] Replicates(int brand, string metric)
        {
            var all = Evaluated(brand);
            var column = IndexOf(metric);
            var values = new double[_replicates];
            for (var r = 0; r < _replicates; r++)
                values[r] = all[r * Metric.All.Count + column];
            return values;
        }

        public MetricSet Metrics(int brand, IReadOnlyList<string>? only = null)
        {
            var metrics = new Dictionary<string, Estimate>(StringComparer.Ordinal);
            if (Sums.Queries.Count == 0 || brand >= Sums.Brands)
            {
                foreach (var metric in only ?? Metric.All)
                    metrics[metric] = Estimate.Nothing;
                return new MetricSet(metrics);
            }

            Span<double> values = stackalloc double[Metric.All.Count];
            Span<int> observations = stackalloc int[Metric.All.Count];
            var sums = OfBrand(_total, 0, brand);
            QuerySums.Evaluate(sums, QuerySums.HasEnoughClauses(sums), values);
            QuerySums.Observations(sums, observations);
            foreach (var metric in only ?? Metric.All)
            {
                var m = IndexOf(metric);
                metrics[metric] = double.IsNaN(values[m]) ? new Estimate(null, null, null, observations[m]) : WithInterval(metric, values[m], observations[m], brand);
            }

            return new MetricSet(metrics);
        }

        private Estimate WithInterval(string metric, double value, int n, int brand)
        {
            if (ClusterBootstrap.Percentiles(Replicates(brand, metric)) is { } found && found.High - found.Low > 1e-12)
                return new Estimate(value, found.Low, found.High, n);
            // All queries have the same value, or there is one query: the bootstrap knows no spread. Wilson with n = queries.
            var queries = Sums.Queries.Count;
            switch (metric)
            {
                case Metric.AvgPosition:
                    return new Estimate(value, null, null, n); // A rank has no upper end to bound it by.
                case Metric.NetSentiment:
                    var (low, high) = Wilson.Interval((value + 1) / 2, queries);
                    return new Estimate(value, 2 * low - 1, 2 * high - 1, n);
                case Metric.Overall:
                    (low, high) = Wilson.Interval(value / 100, queries);
                    return new Estimate(value, 100 * low, 100 * high, n);
                default:
                    (low, high) = Wilson.Interval(value, queries);
                    return new Estimate(value, low, high, n);
            }
        }

        [MethodImpl(ClusterBootstrap.Loops)]
        private double[] Evaluated(int brand)
        {
            if (_evaluated.TryGetValue(brand, out var known))
                return known;
            var count = Metric.All.Count;
            var values = new double[_replicates * count];
            var withSentiment = QuerySums.HasEnoughClauses(OfBrand(_total, 0, brand));
            for (var r = 0; r < _replicates; r++)
                QuerySums.Evaluate(OfBrand(_resampled, r, brand), withSentiment, values.AsSpan(r * count, count));
            _evaluated.Add(brand, values);
            return values;
        }

        private ReadOnlySpan<double> OfBrand(double[] sums, int row, int brand) =>
            sums.AsSpan(row * Sums.Width + brand * QuerySums.Columns, QuerySums.Columns);

        private static int IndexOf(string metric)
        {
            for (var i = 0; i < Metric.All.Count; i++)
            {
                if (string.Equals(Metric.All[i], metric, StringComparison.Ordinal))
                    return i;
            }

            throw new ArgumentOutOfRangeException(nameof(metric), $"No metric is called '{metric}' in {Metric.Version}.");
        }
    }
}

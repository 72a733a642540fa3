using System.Diagnostics;
using System.Text.Json;
using Assay.Analyzer.Score.Metrics;
using Assay.Analyzer.Score.Statistics;

namespace Assay.Analyzer.Tests.Score;

internal static class Answers
{
    public static ScoredAnswer Of(string query, string engine, int run, int? ownRank, int? otherRank = null, double g = 0, bool branded = false, bool valid = true,
        string category = "best", bool searchOn = false, bool cited = false, int positive = 0, int neutral = 0, int negative = 0, string[]? others = null, bool control = false) => new()
        {
            Query = query,
            Engine = engine,
            Run = run,
            IsBranded = branded,
            IsValid = valid,
            IsControl = control,
            Category = category,
            SearchOn = searchOn,
            OtherBrands = others ?? [],
            Brands =
            [
                new ScoredBrand { Brand = "Anker", Mentioned = ownRank is not null, Rank = ownRank, Recommendation = g, Cited = cited, PositiveClauses = positive, NeutralClauses = neutral, NegativeClauses = negative },
                new ScoredBrand { Brand = "Sony", Mentioned = otherRank is not null, Rank = otherRank },
            ],
        };
}

public sealed class When_an_audit_is_scored_by_hand
{
    private static readonly AuditScores Scores = AuditScorer.Score(
    [
        Answers.Of("q1", "a", 1, 1, 2, .75, positive: 6, searchOn: true, cited: true),
        Answers.Of("q1", "b", 1, null, 1, others: ["JBL", "Bose"]),
        Answers.Of("q2", "a", 1, 2, 1, .5, neutral: 2, negative: 2, searchOn: true),
        Answers.Of("q2", "b", 1, 4, null, .75, positive: 2),
        Answers.Of("q2", "b", 2, null, valid: false),
        Answers.Of("q3", "a", 1, 1, branded: true, g: 1),
    ]);

    [Theory]
    [InlineData(Metric.Visibility, (.5 + 1) / 2, 4)]
    [InlineData(Metric.ShareOfVoice, 3.0 / 6, 6)]
    [InlineData(Metric.ShareOfVoiceOpen, 3.0 / 8, 8)]
    [InlineData(Metric.ShareOfVoiceProminence, 1.75 / 4.25, 6)]
    [InlineData(Metric.AvgPosition, 7.0 / 3, 3)]
    [InlineData(Metric.Mrr, 1.75 / 4, 4)]
    [InlineData(Metric.Top1, 1.0 / 4, 4)]
    [InlineData(Metric.Top3, 2.0 / 4, 4)]
    [InlineData(Metric.RecommendationRate, 2.0 / 4, 4)]
    [InlineData(Metric.CitationRate, 1.0 / 2, 2)]
    [InlineData(Metric.NetSentiment, 6.0 / 12, 12)]
    [InlineData(Metric.Overall, 100 * (.4 * .75 + .2 * .4375 + .2 * .5 + .1 * .5 + .1 * .75 * 1.5 / 2), 4)]
    public void Should_follow_the_formula(string metric, double expected, int n)
    {
        Scores.Scores[metric].Value!.Value.ShouldBe(expected, 1e-9);
        Scores.Scores[metric].N.ShouldBe(n);
    }

    [Fact]
    public void Should_hold_every_metric_with_an_interval_around_its_value()
    {
        Scores.Scores.Values.Keys.ShouldBe(Metric.All);
        foreach (var (name, e) in Scores.Scores.Values.Where(v => v.Value.Low is not null))
            (e.Low <= e.Value && e.Value <= e.High).ShouldBeTrue(name);
    }

    [Fact]
    public void Should_leave_out_what_nothing_was_measured_of()
    {
        Scores.Scores.Geo.ShouldBe(new Estimate(null, null, null, 0));
        Scores.Scores.ContextCompleteness.Value.ShouldBeNull();
        Scores.FalseMentionFloor.ShouldBe(Estimate.Nothing);
        Scores.Stability.ShouldBe(Estimate.Nothing);
    }

    [Fact]
    public void Should_report_branded_queries_apart()
    {
        Scores.Branded.Visibility.Value.ShouldBe(1);
        Scores.DiscoveryGap.Value!.Value.ShouldBe(.25, 1e-9);
    }

    [Fact]
    public void Should_score_the_competitor_by_the_same_rules()
    {
        var sony = Scores.Competitors.ShouldHaveSingleItem();
        sony.Brand.ShouldBe("Sony");
        sony.Scores.Visibility.Value!.Value.ShouldBe((1 + .5) / 2, 1e-9);
        sony.Scores.ShareOfVoice.Value!.Value.ShouldBe(.5, 1e-9);
    }

    [Fact]
    public void Should_split_by_engine_and_query()
    {
        Scores.Engines.Select(e => (e.Name, e.Answers, e.ValidAnswers, e.Own.Visibility.Value)).ShouldBe([("a", 3, 3, 1.0), ("b", 3, 2, .5)]);
        Scores.Queries.Select(q => (q.Query, q.Visibility.Value, q.Visibility.N)).ShouldBe([("q1", .5, 2), ("q2", 1.0, 2), ("q3", 1.0, 1)]);
        Scores.Queries[1].Engines["b"].N.ShouldBe(1);
    }

    [Fact]
    public void Should_serialise_without_loss() =>
        JsonSerializer.Serialize(Scores.Scores.Values).ShouldContain("\"visibility\":{\"Value\":0.75");
}

public sealed class When_an_engine_has_no_valid_answer
{
    [Fact]
    public void Should_have_no_numbers_rather_than_zeros()
    {
        var scores = AuditScorer.Score([Answers.Of("q1", "a", 1, 1), Answers.Of("q1", "b", 1, null, valid: false)]);

        scores.Engines[1].Own.Visibility.ShouldBe(new Estimate(null, null, null, 0));
        scores.Engines[1].Own.Overall.Value.ShouldBeNull();
    }

    [Fact]
    public void Should_score_nothing_of_nothing()
    {
        var scores = AuditScorer.Score([]);

        scores.Scores.Visibility.ShouldBe(Estimate.Nothing);
        scores.Queries.ShouldBeEmpty();
    }
}

public sealed class When_all_queries_have_the_same_value
{
    [Fact]
    public void Should_take_wilson_with_the_number_of_queries()
    {
        var scores = AuditScorer.Score([.. Enumerable.Range(0, 45).SelectMany(q => Enumerable.Range(0, 4).Select(e => Answers.Of($"q{q}", $"e{e}", 1, null)))]);

        scores.Scores.Visibility.Low.ShouldBe(0);
        scores.Scores.Visibility.High!.Value.ShouldBe(.0787, .0005, "0 of 45 still allows 7.9 %");
        scores.Scores.AvgPosition.Value.ShouldBeNull();
    }
}

public sealed class When_fewer_than_ten_clauses_were_read
{
    [Fact]
    public void Should_not_speak_of_a_tone()
    {
        var scores = AuditScorer.Score([Answers.Of("q", "a", 1, 1, positive: 9)]);

        scores.Scores.NetSentiment.ShouldBe(new Estimate(null, null, null, 9));
        scores.Scores.Overall.Value.ShouldNotBeNull();
    }
}

public sealed class When_answers_are_repeated
{
    [Fact]
    public void Should_measure_how_alike_the_named_brands_are()
    {
        var scores = AuditScorer.Score([Answers.Of("q", "a", 1, 1, 2), Answers.Of("q", "a", 2, 1), Answers.Of("q", "b", 1, 1)]);

        scores.Stability.Value.ShouldBe(.5);
        scores.Stability.N.ShouldBe(1);
    }
}

public sealed class When_a_control_query_was_asked
{
    [Fact]
    public void Should_measure_the_floor_of_false_mentions_and_nothing_else_from_it()
    {
        var control = Answers.Of("Is Blorptech good?", "a", 1, null, control: true) with { FictitiousMentioned = true };
        var scores = AuditScorer.Score([Answers.Of("q", "a", 1, 1), control, control with { FictitiousMentioned = false, Run = 2 }]);

        scores.FalseMentionFloor.Value.ShouldBe(.5);
        scores.Scores.Visibility.Value.ShouldBe(1);
        scores.Queries.ShouldHaveSingleItem();
    }
}

public sealed class When_two_audits_of_a_panel_are_compared
{
    private static ScoredAnswer[] Panel(int mentioned, int queries = 40) =>
        [.. Enumerable.Range(0, queries).SelectMany(q => Enumerable.Range(0, 3).Select(e => Answers.Of($"q{q}", $"e{e}", 1, q < mentioned ? 1 : null, g: q < mentioned ? .75 : 0)))];

    [Fact]
    public void Should_say_no_detectable_change_for_the_same_answers()
    {
        var comparisons = AuditScorer.Compare(Panel(20), Panel(20));

        comparisons.ShouldAllBe(c => !c.Detectable);
        comparisons.First(c => c.Metric == Metric.Visibility).Verdict.ShouldBe("no detectable change");
    }

    [Fact]
    public void Should_say_no_detectable_change_for_a_difference_of_one_query() =>
        AuditScorer.Compare(Panel(20), Panel(21)).First(c => c.Metric == Metric.Visibility).Verdict.ShouldBe("no detectable change");

    [Fact]
    public void Should_see_a_difference_of_twelve_queries()
    {
        var visibility = AuditScorer.Compare(Panel(16), Panel(28)).First(c => c.Metric == Metric.Visibility);

        visibility.Verdict.ShouldBe("higher");
        visibility.Difference!.Value.ShouldBe(.3, 1e-9);
        visibility.Low!.Value.ShouldBeGreaterThan(.1);
    }

    [Fact]
    public void Should_use_only_the_queries_both_have() =>
        AuditScorer.Compare(Panel(10, 20), Panel(10, 40)).ShouldAllBe(c => c.Queries == 20);

    [Fact]
    public void Should_not_compare_what_shares_no_query() =>
        AuditScorer.Compare(Panel(10), []).ShouldAllBe(c => c.Verdict == "not comparable");
}

public sealed class When_intervals_are_computed
{
    [Theory]
    [InlineData(0, 45, 0, .0787)]
    [InlineData(45, 45, .9213, 1)]
    [InlineData(5, 10, .2366, .7634)]
    [InlineData(1, 3, .0615, .7923)]
    public void Should_give_wilsons_interval(int successes, int n, double low, double high)
    {
        var estimate = Wilson.Of(successes, n);
        estimate.Low!.Value.ShouldBe(low, .0002);
        estimate.High!.Value.ShouldBe(high, .0002);
    }

    [Fact]
    public void Should_repeat_them_for_the_same_seed()
    {
        ScoredAnswer[] answers = [.. Enumerable.Range(0, 30).Select(q => Answers.Of($"q{q}", "a", 1, q % 3 == 0 ? 1 : null) with { Weight = 1 + q * .37 })];

        var first = AuditScorer.Score(answers).Scores.Visibility;
        AuditScorer.Score(answers).Scores.Visibility.ShouldBe(first);
        AuditScorer.Score(answers, new ScoringOptions { Seed = 7 }).Scores.Visibility.ShouldNotBe(first);
    }

    [Fact]
    public void Should_reject_as_many_as_the_false_discovery_rate_allows() =>
        BenjaminiHochberg.Rejected([.9, .01, .04, .03, .005]).ShouldBe([false, true, true, true, true]);

    [Fact]
    public void Should_reject_none_of_nothing() => BenjaminiHochberg.Rejected([]).ShouldBeEmpty();

    [Fact]
    public void Should_expect_more_from_queries_than_from_repeats()
    {
        AuditScorer.ExpectedHalfWidth(60, 4, 1).ShouldBe(.1, .002);
        AuditScorer.ExpectedHalfWidth(120, 4, 1).ShouldBeLessThan(AuditScorer.ExpectedHalfWidth(60, 4, 2));
        Should.Throw<ArgumentOutOfRangeException>(() => AuditScorer.ExpectedHalfWidth(0, 1, 1));
    }
}

public sealed class When_visibility_is_measured_again_and_again(Xunit.Abstractions.ITestOutputHelper output)
{
    // A brand's chance to be named differs from query to query: Beta(.8, 1.2), drawn as the smaller root of two uniforms' ratio (Jöhnk).
    private static double Beta(ref SeededRandom random, double a, double b)
    {
        while (true)
        {
            var x = Math.Pow(random.Fraction(), 1 / a);
            var y = Math.Pow(random.Fraction(), 1 / b);
            if (x + y is > 0 and <= 1)
                return x / (x + y);
        }
    }

    [Fact]
    public void Should_cover_the_truth_in_93_to_97_percent_of_audits()
    {
        const int Audits = 2000;
        const int Queries = 45;
        const int PerQuery = 12;
        const double Truth = .8 / (.8 + 1.2);
        var random = new SeededRandom(11);
        var (covered, coveredByPooling) = (0, 0);
        for (var audit = 0; audit < Audits; audit++)
        {
            var rows = new double[Queries * 2];
            var hits = 0;
            for (var q = 0; q < Queries; q++)
            {
                var p = Beta(ref random, .8, 1.2);
                var y = 0;
                for (var k = 0; k < PerQuery; k++)
                    y += random.Fraction() < p ? 1 : 0;
                hits += y;
                rows[2 * q] = (double)y / PerQuery;
                rows[2 * q + 1] = 1;
            }

            var sums = ClusterBootstrap.Sums(rows, 2, 1000, (ulong)audit);
            var shares = new double[1000];
            for (var r = 0; r < shares.Length; r++)
                shares[r] = sums[2 * r] / sums[2 * r + 1];
            var (low, high) = ClusterBootstrap.Percentiles(shares)!.Value;
            covered += low <= Truth && Truth <= high ? 1 : 0;
            var pooled = Wilson.Of(hits, Queries * PerQuery);
            coveredByPooling += pooled.Low <= Truth && Truth <= pooled.High ? 1 : 0;
        }

        var coverage = (double)covered / Audits;
        output.WriteLine($"visibility interval covers the truth in {coverage:P1} of {Audits} simulated audits (pooled Wilson: {(double)coveredByPooling / Audits:P1})");
        coverage.ShouldBeInRange(.93, .97);
        ((double)coveredByPooling / Audits).ShouldBeLessThan(.75);
    }
}

public sealed class When_a_large_audit_is_scored(Xunit.Abstractions.ITestOutputHelper output)
{
    [Fact]
    public void Should_take_work_in_proportion_to_its_queries()
    {
        _ = Score(10);
        var small = Score(30);
        var large = Score(240);
        output.WriteLine($"30 queries × 4 engines × 6 brands: {small.TotalMilliseconds:F0} ms, 240 queries: {large.TotalMilliseconds:F0} ms, 60 queries: {Score(60).TotalMilliseconds:F0} ms");
        large.ShouldBeLessThan(small * 32, "eight times the queries must not cost sixty-four times the time");

        static TimeSpan Score(int queries)
        {
            var answers = (from q in Enumerable.Range(0, queries)
                           from e in Enumerable.Range(0, 4)
                           select Answers.Of($"q{q}", $"e{e}", 1, (q + e) % 3 == 0 ? (q % 5) + 1 : null, (q + e) % 2 == 0 ? 1 : null, category: $"c{q % 8}", positive: q % 2) with
                           {
                               Brands = [.. Enumerable.Range(0, 6).Select(b => new ScoredBrand { Brand = $"b{b}", Mentioned = (q * 7 + e + b) % 3 == 0, Rank = (q * 7 + e + b) % 3 == 0 ? b + 1 : null, PositiveClauses = 1 })],
                           }).ToList();
            var best = TimeSpan.MaxValue;
            for (var i = 0; i < 5; i++)
            {
                var watch = Stopwatch.StartNew();
                AuditScorer.Score(answers).Scores.Visibility.Value.ShouldNotBeNull();
                best = watch.Elapsed < best ? watch.Elapsed : best;
            }

            return best;
        }
    }
}

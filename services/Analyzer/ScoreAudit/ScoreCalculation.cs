using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Score.Metrics;
using Assay.Analyzer.Score.Statistics;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Scored = Assay.Analyzer.Score.Metrics;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>A call of the audit as scoring needs it: where it belongs, how it ended, and the numbers of its reading.</summary>
sealed record PanelAnswer
{
    public required string QueryId { get; init; }
    public required string Engine { get; init; }
    public required string Model { get; init; }
    public required bool Simulated { get; init; }
    public required string Outcome { get; init; }
    public string? Reason { get; init; }
    public required bool Reused { get; init; }

    /// <summary>Also there for a call without a valid answer, with every brand absent and not eligible.</summary>
    public required ScoredAnswer Scored { get; init; }
}

/// <summary>Puts the scores of a panel into the words of the contract. Pure: the same answers give the same numbers.</summary>
static class ScoreCalculation
{
    public static AuditScored Calculate(Guid auditId, int attempt, Guid scoreId, IReadOnlyList<PanelAnswer> answers, DateTime now)
    {
        // A fixed order makes the seeded intervals the same however the rows came from the database.
        var ordered = answers
            .OrderBy(a => a.QueryId, StringComparer.Ordinal).ThenBy(a => a.Engine, StringComparer.Ordinal).ThenBy(a => a.Scored.Run)
            .ToList();
        var scores = AuditScorer.Score(ordered.ConvertAll(a => a.Scored));
        var ids = ordered.Where(a => !a.Scored.IsControl).GroupBy(a => a.Scored.Query, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First().QueryId, StringComparer.Ordinal);

        var overall = Values(scores.Scores);
        overall["discoveryGap"] = Value(scores.DiscoveryGap);
        overall["stability"] = Value(scores.Stability);
        overall["falseMentionFloor"] = Value(scores.FalseMentionFloor);
        overall["visibilityBranded"] = Value(scores.Branded.Visibility);

        return new AuditScored
        {
            AuditId = auditId,
            Attempt = attempt,
            ScoreId = scoreId,
            MetricsVersion = scores.MetricsVersion,
            Simulated = ordered.Exists(a => a.Simulated),
            Scores = overall,
            Coverage = Count(ordered),
            Engines = [.. ordered.GroupBy(a => a.Engine, StringComparer.Ordinal).Select(group => Group(group.Key, [.. group], scores.Engines, group.First()))],
            Categories = [.. ordered.Where(a => !a.Scored.IsControl && !a.Scored.IsBranded).GroupBy(a => a.Scored.Category, StringComparer.Ordinal).Select(group => Group(group.Key, [.. group], scores.Categories, null))],
            Competitors = [.. scores.Competitors.Select(competitor => Competitor(competitor, scores.Comparisons))],
            Queries = [.. scores.Queries.Select(query => Query(query, ids[query.Query], ordered))],
            ScoredAt = now,
        };
    }

    static GroupScores Group(string name, IReadOnlyList<PanelAnswer> answers, IReadOnlyList<ScopeScores> scopes, PanelAnswer? engine) => new()
    {
        Name = name,
        Model = engine?.Model,
        Simulated = answers.Any(a => a.Simulated),
        Coverage = Count(answers),
        Scores = scopes.FirstOrDefault(scope => scope.Name == name) is { Brands.Count: > 0 } scope ? Values(scope.Own) : Values(new MetricSet(new Dictionary<string, Estimate>(StringComparer.Ordinal))),
    };

    static CompetitorScores Competitor(BrandScores competitor, IReadOnlyList<Comparison> comparisons)
    {
        var comparison = comparisons.FirstOrDefault(c => c.Metric == Metric.Visibility && c.Other == competitor.Brand);
        return new()
        {
            Name = competitor.Brand,
            Scores = Values(competitor.Scores),
            Difference = comparison is null ? new() : new() { Value = comparison.Difference, Low = comparison.Low, High = comparison.High, N = comparison.Queries },
            Detectable = comparison?.Detectable ?? false,
        };
    }

    static Contracts.Internal.Analyzer.QueryScores Query(Scored.QueryScores query, string queryId, IReadOnlyList<PanelAnswer> answers)
    {
        var valid = answers.Where(a => a.QueryId == queryId && a.Scored.IsValid).ToList();
        return new()
        {
            QueryId = queryId,
            Query = query.Query,
            Category = query.Category,
            Branded = query.IsBranded,
            ValidAnswers = valid.Count,
            Mentions = valid.Count(a => a.Scored.Brands[0].Mentioned),
            Visibility = Value(query.Visibility),
        };
    }

    internal static CoverageCounts Count(IReadOnlyCollection<PanelAnswer> answers) => new()
    {
        Planned = answers.Count,
        Valid = answers.Count(a => a.Outcome == AnswerOutcomes.Valid),
        Declined = answers.Count(a => a.Outcome == AnswerOutcomes.Declined),
        Refused = answers.Count(a => a.Outcome == AnswerOutcomes.Refused),
        Empty = answers.Count(a => a.Outcome == AnswerOutcomes.Empty),
        InDoubt = answers.Count(a => a.Outcome == AnswerOutcomes.InDoubt),
        Reused = answers.Count(a => a.Outcome == AnswerOutcomes.Valid && a.Reused),
        Reasons = answers.Where(a => a.Reason is not null).GroupBy(a => a.Reason!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal),
    };

    /// <summary>Every metric by the contract's name; what could not be measured is there without a value.</summary>
    static Dictionary<string, ScoreValue> Values(MetricSet metrics) =>
        Metric.All.ToDictionary(ContractName, metric => Value(metrics[metric]), StringComparer.Ordinal);

    internal static string ContractName(string metric) => metric switch
    {
        Metric.AvgPosition => "averagePosition",
        Metric.BrandPawc => "pawc",
        _ => metric,
    };

    static ScoreValue Value(Estimate estimate) => new() { Value = Finite(estimate.Value), Low = Finite(estimate.Low), High = Finite(estimate.High), N = estimate.N };

    static double? Finite(double? value) => value is { } v && double.IsFinite(v) ? v : null;
}

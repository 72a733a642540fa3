using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.Dashboard.Reports;

/// <summary>report.json. The names are fixed: programs outside this repository read them.</summary>
public sealed record Report
{
    public required Guid AuditId { get; init; }
    public required string Status { get; init; }
    public required int Attempt { get; init; }
    public ReportFailure? Failure { get; init; }
    public required ReportBrand Brand { get; init; }
    public string? MetricsVersion { get; init; }

    /// <summary>Whether any engine of this audit is a simulator.</summary>
    public required bool Simulated { get; init; }

    /// <summary>True until the attempt has ended: numbers may still change.</summary>
    public required bool Provisional { get; init; }

    /// <summary>True where the audit ended before it was scored: the scores cover what was answered until then.</summary>
    public bool Partial { get; init; }

    /// <summary>Why the scores of what was answered are not here, for a reader.</summary>
    public string? ScoresUnavailable { get; init; }

    public required DateTime GeneratedAt { get; init; }
    public DateTime? StartedAt { get; init; }
    public DateTime? EndedAt { get; init; }
    public required CoverageCounts Coverage { get; init; }
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }
    public required IReadOnlyList<ReportEngine> Engines { get; init; }
    public required IReadOnlyList<GroupScores> Categories { get; init; }
    public required IReadOnlyList<CompetitorScores> Competitors { get; init; }
    public required IReadOnlyList<ReportQuery> Queries { get; init; }
    public required IReadOnlyList<ReportAnswer> Answers { get; init; }
    public required IReadOnlyList<Insight> Insights { get; init; }

    /// <summary>Whether the insights were written by a simulator.</summary>
    public required bool InsightsSimulated { get; init; }

    public required IReadOnlyList<Recommendation> Recommendations { get; init; }

    /// <summary>A language model's second opinion, where judging was switched on; it changes no score.</summary>
    public ReportJudge? Judge { get; init; }

    /// <summary>Every name the answers were searched for, with how strictly.</summary>
    public IReadOnlyList<TrackedName> Names { get; init; } = [];

    public required ReportSpend Spend { get; init; }
    public required ReportLineage Lineage { get; init; }
    public required IReadOnlyList<ReportTransition> Transitions { get; init; }
    public RequestAudit? Request { get; init; }
}

public sealed record ReportJudge
{
    public required bool Simulated { get; init; }

    /// <summary>Answers asked about.</summary>
    public required int Asked { get; init; }

    /// <summary>Usable opinions among them.</summary>
    public required int Judged { get; init; }

    /// <summary>Cohen's κ of recommendation strength against the deterministic reading.</summary>
    public required ScoreValue RecommendationKappa { get; init; }

    public required ScoreValue SentimentKappa { get; init; }

    /// <summary>Share of opinions that name the same key features.</summary>
    public double? FeaturesAgree { get; init; }

    public required decimal SpentUsd { get; init; }
    public required IReadOnlyList<JudgeDisagreement> Disagreements { get; init; }
}

public sealed record ReportFailure(string Reason, string? Detail, string? Phase);

public sealed record ReportBrand(string Name, string? Domain, IReadOnlyList<string> Aliases, string? Industry, IReadOnlyList<string> Features, string Kind);

public sealed record ReportEngine
{
    public required string Name { get; init; }
    public string? Model { get; init; }
    public required bool Simulated { get; init; }
    public required CoverageCounts Coverage { get; init; }
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }
}

public sealed record ReportQuery
{
    public required string QueryId { get; init; }
    public required string Query { get; init; }
    public required string Category { get; init; }
    public required bool Branded { get; init; }
    public bool Control { get; init; }
    public required int ValidAnswers { get; init; }
    public required int Mentions { get; init; }
    public required ScoreValue Visibility { get; init; }
}

public sealed record ReportAnswer
{
    /// <summary>Null for a planned call that was never decided before the audit ended.</summary>
    public string? CallKey { get; init; }

    public required string QueryId { get; init; }
    public required string Query { get; init; }
    public required string Category { get; init; }
    public required bool Branded { get; init; }
    public required bool Control { get; init; }
    public required string Engine { get; init; }
    public required bool Simulated { get; init; }

    /// <summary>valid, declined, refused, empty or inDoubt.</summary>
    public required string Outcome { get; init; }

    public string? Reason { get; init; }
    public string? RequestedModel { get; init; }
    public string? ServedModel { get; init; }
    public string? Surface { get; init; }
    public required int Run { get; init; }
    public string? Text { get; init; }
    public string? TextHash { get; init; }
    public int? ResponseTimeMs { get; init; }
    public int? InputTokens { get; init; }
    public int? OutputTokens { get; init; }
    public required decimal CostUsd { get; init; }
    public required bool CacheHit { get; init; }
    public required bool Reused { get; init; }
    public required int PaidTries { get; init; }
    public string? MatcherVersion { get; init; }
    public required IReadOnlyList<DescribedMention> Mentions { get; init; }
    public required IReadOnlyList<string> Features { get; init; }
    public required IReadOnlyList<string> OtherBrands { get; init; }
    public required double SnippetPotential { get; init; }
    public required double VoiceFitness { get; init; }
    public required IReadOnlyList<DescribedCitation> Citations { get; init; }

    /// <summary>Places where a name stands and does not count, with the reason.</summary>
    public IReadOnlyList<DescribedIgnored> Ignored { get; init; } = [];

    /// <summary>Heuristic, 0 to 1; null where the brand is not mentioned.</summary>
    public double? ContextQuality { get; init; }

    public string? Language { get; init; }

    /// <summary>A language model's second opinion of this answer, if it was asked.</summary>
    public JudgeOpinion? Judge { get; init; }
}

public sealed record ReportSpend
{
    public required decimal CeilingUsd { get; init; }
    public required decimal ReservedUsd { get; init; }
    public required decimal SpentUsd { get; init; }
    public required decimal InDoubtUsd { get; init; }
    public required decimal OverrunUsd { get; init; }
    public required int Calls { get; init; }
    public required int PaidTries { get; init; }
    public required int InDoubt { get; init; }
    public required int Reused { get; init; }

    /// <summary>Whether nothing is on the wire and the budget is closed.</summary>
    public required bool Final { get; init; }
}

public sealed record ReportLineage(Guid TrackingId, IReadOnlyList<Guid> Ancestry, int Depth, Guid? ParentAuditId);

public sealed record ReportTransition(int Sequence, int Attempt, string From, string To, string Trigger, string Worker, DateTime At, long ElapsedMs)
{
    /// <summary>The trace in which it happened, where tracing is on.</summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }
}

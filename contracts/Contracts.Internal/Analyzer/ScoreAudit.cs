using Assay.Contracts;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks for the scores over these batches. Answered by <see cref="AuditScored"/>.</summary>
public sealed record ScoreAudit
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required IReadOnlyList<Guid> BatchIds { get; init; }
}

/// <summary>The scores of an audit under one version of the metrics.</summary>
public sealed record AuditScored
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid ScoreId { get; init; }
    public required string MetricsVersion { get; init; }
    public required bool Simulated { get; init; }

    /// <summary>visibility, shareOfVoice, shareOfVoiceOpen, shareOfVoiceProminence, averagePosition, mrr, top1, top3, recommendationRate, citationRate, netSentiment, discoveryGap, stability, contextCompleteness, pawc, geo, falseMentionFloor, overall (0–100).</summary>
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }

    public required CoverageCounts Coverage { get; init; }
    public required IReadOnlyList<GroupScores> Engines { get; init; }
    public required IReadOnlyList<GroupScores> Categories { get; init; }
    public required IReadOnlyList<CompetitorScores> Competitors { get; init; }
    public required IReadOnlyList<QueryScores> Queries { get; init; }
    public required DateTime ScoredAt { get; init; }
}

/// <summary>Scores of a part of the answers: one engine, or one query category.</summary>
public sealed record GroupScores
{
    public required string Name { get; init; }
    public string? Model { get; init; }
    public bool Simulated { get; init; }
    public required CoverageCounts Coverage { get; init; }
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }
}

/// <summary>A competitor's scores and its paired difference to the brand on the same queries.</summary>
public sealed record CompetitorScores
{
    public required string Name { get; init; }
    public required IReadOnlyDictionary<string, ScoreValue> Scores { get; init; }

    /// <summary>Brand minus competitor, visibility, paired by query.</summary>
    public required ScoreValue Difference { get; init; }

    /// <summary>Whether the difference is detectable after Benjamini–Hochberg at 10 %.</summary>
    public required bool Detectable { get; init; }
}

/// <summary>One query's scores.</summary>
public sealed record QueryScores
{
    public required string QueryId { get; init; }
    public required string Query { get; init; }
    public required string Category { get; init; }
    public required bool Branded { get; init; }
    public required int ValidAnswers { get; init; }
    public required int Mentions { get; init; }

    /// <summary>Share of valid answers that mention the brand, with its Wilson interval.</summary>
    public required ScoreValue Visibility { get; init; }
}

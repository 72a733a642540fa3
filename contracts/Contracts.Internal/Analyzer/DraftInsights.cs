namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks for one layer of insights: 1 = 18 theme findings, 2 = 3 syntheses, 3 = 1 summary. Answered by <see cref="InsightsDrafted"/>.</summary>
public sealed record DraftInsights
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required int Layer { get; init; }
    public required Guid ScoreId { get; init; }
    public required bool AdvisorAvailable { get; init; }
    public required DateTime DeadlineAt { get; init; }
    public bool AskInDoubtAgain { get; init; }
}

/// <summary>A layer is drafted; what could not be had is listed as unavailable with its reason.</summary>
public sealed record InsightsDrafted
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required int Layer { get; init; }
    public required bool Simulated { get; init; }
    public required IReadOnlyList<Insight> Insights { get; init; }
    public required IReadOnlyList<Recommendation> Recommendations { get; init; }
    public required long SpentMicroUsd { get; init; }
}

/// <summary>One finding, synthesis or summary.</summary>
public sealed record Insight
{
    /// <summary>For example <c>L1-07</c>.</summary>
    public required string InsightId { get; init; }

    public required int Layer { get; init; }
    public required string Theme { get; init; }
    public required string Title { get; init; }
    public required string Text { get; init; }

    /// <summary>Whether it could be had; else <see cref="Reason"/> says why not.</summary>
    public required bool Available { get; init; }

    public string? Reason { get; init; }

    /// <summary>The answers it rests on.</summary>
    public required IReadOnlyList<string> CallKeys { get; init; }

    /// <summary>The insights it rests on (layers 2 and 3).</summary>
    public required IReadOnlyList<string> InsightIds { get; init; }
}

/// <summary>A recommended action.</summary>
public sealed record Recommendation
{
    public required string Title { get; init; }
    public required string Action { get; init; }
    public string? Query { get; init; }
    public string? Engine { get; init; }

    /// <summary>The metric it should move.</summary>
    public required string Metric { get; init; }

    public required IReadOnlyList<string> CallKeys { get; init; }

    /// <summary>One of <see cref="RecommendationSources"/>: a reader is told whether an advisor or a rule says it.</summary>
    public string Source { get; init; } = RecommendationSources.Rules;
}

/// <summary>Who made a recommendation.</summary>
public static class RecommendationSources
{
    /// <summary>The engine <c>advisor</c>, checked against the audit.</summary>
    public const string Advisor = "advisor";

    /// <summary>Plain rules over the scores.</summary>
    public const string Rules = "rules";
}

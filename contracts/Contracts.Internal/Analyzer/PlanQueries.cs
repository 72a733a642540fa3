using Assay.Contracts;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks for the panel of queries. Always sent, also when queries are given: the Analyzer remembers the brand and its competitors from it. Answered by <see cref="QueriesPlanned"/>.</summary>
public sealed record PlanQueries
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required RequestAudit Request { get; init; }

    /// <summary>Whether the engine <c>advisor</c> is configured and may be asked; else built-in templates plan.</summary>
    public required bool AdvisorAvailable { get; init; }

    public required DateTime DeadlineAt { get; init; }
    public bool AskInDoubtAgain { get; init; }
}

/// <summary>The panel, immutable per audit: a later attempt gets the same one.</summary>
public sealed record QueriesPlanned
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required Guid PlanId { get; init; }

    /// <summary><c>given</c>, <c>templates</c> or <c>advisor</c>.</summary>
    public required string Source { get; init; }

    public required IReadOnlyList<PlannedQuery> Queries { get; init; }
    public required long SpentMicroUsd { get; init; }

    /// <summary>Why there is no query, for a reader; null if there is one.</summary>
    public string? Problem { get; init; }

    /// <summary>Every name the answers are searched for, with how strictly.</summary>
    public IReadOnlyList<TrackedName> Names { get; init; } = [];
}

/// <summary>One query of the panel.</summary>
public sealed record PlannedQuery
{
    /// <summary>Short and stable within the audit, for example <c>q017</c>.</summary>
    public required string QueryId { get; init; }

    public required string Text { get; init; }

    /// <summary>category best, comparison, alternatives, problem, use case, price, local, feature, given or control.</summary>
    public required string Category { get; init; }

    /// <summary>Whether the text names the brand or a tracked competitor.</summary>
    public required bool Branded { get; init; }

    /// <summary>Whether it asks about a fictitious brand.</summary>
    public required bool Control { get; init; }

    public double Weight { get; init; } = 1;

    /// <summary>Other wordings of the same question, for the second and further runs; a run without one repeats the text. Given queries have none.</summary>
    public IReadOnlyList<string> Paraphrases { get; init; } = [];
}

using Assay.Contracts;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>Asks what changed between two audits on the queries both have. Answered by <see cref="AuditsCompared"/>.</summary>
public sealed record CompareAudits
{
    /// <summary>The later audit.</summary>
    public required Guid AuditId { get; init; }

    public required Guid EarlierAuditId { get; init; }
}

/// <summary>Metric by metric, paired by query: one resample draws the same queries from both audits.</summary>
public sealed record AuditsCompared
{
    public required Guid AuditId { get; init; }
    public required Guid EarlierAuditId { get; init; }

    /// <summary>Unbranded queries with valid answers in both; the differences rest on these alone.</summary>
    public required int SharedQueries { get; init; }

    /// <summary>Why there is nothing to compare, for a reader; null if there is.</summary>
    public string? Reason { get; init; }

    public required IReadOnlyList<MetricChange> Changes { get; init; }
}

/// <summary>One metric in both audits.</summary>
public sealed record MetricChange
{
    public required string Metric { get; init; }

    /// <summary>The earlier audit's own score, over all its queries.</summary>
    public required ScoreValue Before { get; init; }

    /// <summary>The later audit's own score, over all its queries.</summary>
    public required ScoreValue After { get; init; }

    /// <summary>Later minus earlier on the shared queries, with its interval.</summary>
    public required ScoreValue Difference { get; init; }

    /// <summary>Whether the interval excludes 0 and the change survives Benjamini–Hochberg at 10 % over this list.</summary>
    public required bool Detectable { get; init; }

    /// <summary><c>higher</c>, <c>lower</c>, <c>no detectable change</c> or <c>not comparable</c>.</summary>
    public required string Verdict { get; init; }
}

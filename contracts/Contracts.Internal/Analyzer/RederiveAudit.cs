using Assay.Contracts;

namespace Assay.Contracts.Internal.Analyzer;

/// <summary>
/// Reads the stored answers of a past audit again, under other names or this version's rules, at no cost. Nothing stored changes.
/// Answered by <see cref="AuditRederived"/>.
/// </summary>
public sealed record RederiveAudit
{
    public required Guid AuditId { get; init; }

    /// <summary>The brand as it should have been looked for; null for the audit's own.</summary>
    public Brand? Brand { get; init; }

    /// <summary>The competitors as they should have been looked for; null for the audit's own.</summary>
    public IReadOnlyList<Competitor>? Competitors { get; init; }
}

/// <summary>The audit as it was scored and as it reads now, side by side.</summary>
public sealed record AuditRederived
{
    public required Guid AuditId { get; init; }

    /// <summary>Why it could not be re-derived, for a reader; null if it was.</summary>
    public string? Reason { get; init; }

    /// <summary>Version of the rules the answers were read with now.</summary>
    public required string MatcherVersion { get; init; }

    /// <summary>As it was scored.</summary>
    public AuditScored? Before { get; init; }

    /// <summary>As it would be scored now.</summary>
    public AuditScored? After { get; init; }

    /// <summary>Answers read again; those without a text stay as they were.</summary>
    public required int AnswersRead { get; init; }

    /// <summary>Answers in which other brands are found now, at most 500.</summary>
    public required IReadOnlyList<RereadAnswer> Changed { get; init; }
}

/// <summary>An answer in which other brands are found now.</summary>
public sealed record RereadAnswer
{
    public required string CallKey { get; init; }
    public required string QueryId { get; init; }
    public required string Engine { get; init; }

    /// <summary>Brands found now and not before.</summary>
    public required IReadOnlyList<string> Found { get; init; }

    /// <summary>Brands found before and not now.</summary>
    public required IReadOnlyList<string> Lost { get; init; }

    public required string OutcomeBefore { get; init; }
    public required string OutcomeAfter { get; init; }
}

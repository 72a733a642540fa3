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

    /// <summary>One of <see cref="MetricsVersions.All"/>; null for the newest.</summary>
    public string? MetricsVersion { get; init; }
}

/// <summary>The versions of the metrics this system can compute. A change of a formula is a new one, and old audits can be had under both.</summary>
public static class MetricsVersions
{
    public const string V1 = "metrics-v1";

    public const string Newest = V1;

    public static IReadOnlyList<string> All { get; } = [V1];
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

    /// <summary>Every name searched for now, with how strictly.</summary>
    public IReadOnlyList<TrackedName> Names { get; init; } = [];

    /// <summary>Answers read again; those without a text stay as they were.</summary>
    public required int AnswersRead { get; init; }

    /// <summary>Answers in which other brands are found now, at most 500.</summary>
    public required IReadOnlyList<RereadAnswer> Changed { get; init; }
}

/// <summary>A name a brand is searched by.</summary>
public sealed record TrackedName
{
    public required string Brand { get; init; }
    public required string Name { get; init; }

    /// <summary>One of <see cref="NameStrictness"/>.</summary>
    public required string Strictness { get; init; }
}

/// <summary>How strictly a name is matched: a short or ordinary one would be found where nobody speaks of the brand.</summary>
public static class NameStrictness
{
    /// <summary>Found in any letter case, with its joined and hyphenated variants.</summary>
    public const string Distinctive = "distinctive";

    /// <summary>Up to three letters: found only in its own letter case.</summary>
    public const string Short = "short";

    /// <summary>An ordinary word: found only with its capital letter and a cue beside it.</summary>
    public const string OrdinaryWord = "ordinaryWord";

    /// <summary>Several ordinary words: found only in their own capitals.</summary>
    public const string OrdinaryPhrase = "ordinaryPhrase";

    /// <summary>A weekday or month: found only beside a product name, a domain or in a list of brands.</summary>
    public const string AlwaysCapitalWord = "alwaysCapitalWord";
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

namespace Assay.Contracts;

/// <summary>
/// Asks for an AI visibility audit. <see cref="AuditId"/> is the idempotency key: the same id with the same content answers with
/// the audit's present state, with other content it is rejected as <see cref="RejectionReasons.AuditIdReused"/>.
/// Answered by <see cref="AuditAccepted"/> or <see cref="AuditRejected"/>.
/// </summary>
public sealed record RequestAudit
{
    /// <summary>Identity of the audit and idempotency key of this request.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>What is audited; one of <see cref="AuditKinds"/>. The same brand under another kind is another audit.</summary>
    public string Kind { get; init; } = AuditKinds.Brand;

    /// <summary>The brand whose visibility is measured.</summary>
    public required Brand Brand { get; init; }

    /// <summary>The competitors the brand is compared with; may be empty.</summary>
    public IReadOnlyList<Competitor> Competitors { get; init; } = [];

    /// <summary>The panel, used verbatim. Empty or null: <see cref="QueryCount"/> queries are planned.</summary>
    public IReadOnlyList<string>? Queries { get; init; }

    /// <summary>How many queries to plan when <see cref="Queries"/> is not given (1 to 1000).</summary>
    public int? QueryCount { get; init; }

    /// <summary>Adds one question about a fictitious brand, whose mention rate is the measured false-mention floor.</summary>
    public bool Control { get; init; }

    /// <summary>Names of the configured engines to ask.</summary>
    public required IReadOnlyList<string> Engines { get; init; }

    /// <summary>How often each query is asked of each engine (1 to 10).</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Language and market of the answers, as a BCP 47 tag.</summary>
    public string Locale { get; init; } = "en-US";

    /// <summary>The most this audit may cost over all its attempts, in US dollars.</summary>
    public required decimal CeilingUsd { get; init; }

    /// <summary>The most a whole lineage tree may cost, in US dollars; read from the root only. Default: ceiling × (1 + children).</summary>
    public decimal? TreeCeilingUsd { get; init; }

    /// <summary>What to do with a call whose outcome nobody knows; one of <see cref="InDoubtPolicies"/>.</summary>
    public string InDoubt { get; init; } = InDoubtPolicies.Keep;

    /// <summary>The least share of planned calls that must be valid answers (0–1); below it the audit fails.</summary>
    public double MinCoverage { get; init; } = 0.8;

    /// <summary>Minutes until the audit is failed if it has not ended; may be fractional.</summary>
    public double DeadlineMinutes { get; init; } = 30;

    /// <summary>The audit this one descends from; lineage is derived from its row, never from this message.</summary>
    public Guid? ParentAuditId { get; init; }

    /// <summary>On completion, audits each competitor as a child of this audit.</summary>
    public bool AuditCompetitors { get; init; }

    /// <summary>Runs although the same audit has completed within the freshness window; at most 3 a day per brand and kind.</summary>
    public bool Force { get; init; }

    /// <summary>Who or what asks, for the record.</summary>
    public string? RequestedBy { get; init; }
}

/// <summary>A brand to look for in answers.</summary>
public sealed record Brand
{
    /// <summary>The name as buyers write it.</summary>
    public required string Name { get; init; }

    /// <summary>The brand's own domain, for owned citations and identity, for example <c>anker.com</c>.</summary>
    public string? Domain { get; init; }

    /// <summary>Other names that mean the same brand.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The industry, used to plan queries.</summary>
    public string? Industry { get; init; }

    /// <summary>Key features whose mention is counted.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];
}

/// <summary>A competitor to look for in answers.</summary>
public sealed record Competitor
{
    /// <summary>The name as buyers write it.</summary>
    public required string Name { get; init; }

    /// <summary>The competitor's own domain.</summary>
    public string? Domain { get; init; }

    /// <summary>Other names that mean the same competitor.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}

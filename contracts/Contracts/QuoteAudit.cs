namespace Assay.Contracts;

/// <summary>Asks what an audit would cost, without starting it. Answered by <see cref="AuditQuoted"/>.</summary>
public sealed record QuoteAudit
{
    /// <summary>Identity of this quote's request, echoed in the answer.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The request as it would be sent.</summary>
    public required RequestAudit Audit { get; init; }
}

/// <summary>What an audit would cost and what the money buys. Admission uses the same figures.</summary>
public sealed record AuditQuoted
{
    /// <summary>The id of the <see cref="QuoteAudit"/> this answers.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>Paid calls planned: queries × engines × runs, plus planning and insights.</summary>
    public required int Calls { get; init; }

    /// <summary>The most these calls can cost, in US dollars.</summary>
    public required decimal WorstCaseUsd { get; init; }

    /// <summary>What they are expected to cost, in US dollars.</summary>
    public required decimal ExpectedUsd { get; init; }

    /// <summary>Expected half-width of the 95 % interval of visibility, as a fraction 0–1.</summary>
    public required double ExpectedHalfWidth { get; init; }

    /// <summary>Whether the worst case fits under the request's ceiling.</summary>
    public required bool FitsCeiling { get; init; }

    /// <summary>One of <see cref="RejectionReasons"/> if the request would be refused now, else null.</summary>
    public string? Refusal { get; init; }

    /// <summary>The refusal for a reader: what, why, what to do.</summary>
    public string? RefusalDetail { get; init; }

    /// <summary>The share of each engine.</summary>
    public required IReadOnlyList<QuotedEngine> Engines { get; init; }
}

/// <summary>One engine's share of a quote.</summary>
public sealed record QuotedEngine
{
    /// <summary>The engine's configured name.</summary>
    public required string Engine { get; init; }

    /// <summary>Its kind, for example <c>openai</c> or <c>scripted</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The model that would be requested.</summary>
    public required string Model { get; init; }

    /// <summary>Whether its answers are simulated.</summary>
    public required bool Simulated { get; init; }

    /// <summary>Calls planned for this engine.</summary>
    public required int Calls { get; init; }

    /// <summary>Their worst case in US dollars.</summary>
    public required decimal WorstCaseUsd { get; init; }
}

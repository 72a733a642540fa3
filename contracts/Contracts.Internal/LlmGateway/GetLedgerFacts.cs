namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>Asks what the ledger holds of these audits, or of the next ones by id; answered by <see cref="LedgerFacts"/>.</summary>
public sealed record GetLedgerFacts
{
    /// <summary>These audits; null for the <see cref="Limit"/> next after <see cref="After"/>.</summary>
    public IReadOnlyList<Guid>? AuditIds { get; init; }

    public Guid? After { get; init; }
    public int Limit { get; init; } = 100;
}

/// <summary>In the order of the ledger's ids.</summary>
public sealed record LedgerFacts
{
    public required IReadOnlyList<LedgerFact> Audits { get; init; }
}

/// <summary>The budget of an audit.</summary>
public sealed record LedgerFact
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>The fence.</summary>
    public required int ClosedAttempt { get; init; }

    /// <summary>Whether this attempt was refused: it never held money, and there is nothing to close.</summary>
    public bool Refused { get; init; }

    public required long ReservedMicroUsd { get; init; }
    public required long SpentMicroUsd { get; init; }
}

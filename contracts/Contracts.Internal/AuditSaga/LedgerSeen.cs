namespace Assay.Contracts.Internal.AuditSaga;

/// <summary>
/// Asks the saga what it has seen of the ledger. A gateway sends nothing before it knows this: a ledger that is behind was restored to an
/// earlier point and has forgotten payments. Answered by <see cref="LedgerSeen"/>.
/// </summary>
public sealed record GetLedgerSeen
{
    /// <summary>The ledger's own sequence; audits whose budget was opened after it are listed.</summary>
    public required long LedgerSequence { get; init; }
}

/// <summary>What the saga has seen of the ledger.</summary>
public sealed record LedgerSeen
{
    public required long HighestSequence { get; init; }

    /// <summary>Live audits, those whose budget the ledger may have forgotten, and the ones that progressed last; at most 1000.</summary>
    public required IReadOnlyList<SeenBudget> Audits { get; init; }
}

/// <summary>What the saga has seen of one audit's budget.</summary>
public sealed record SeenBudget
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string State { get; init; }
    public required bool Live { get; init; }
    public required long LedgerSequence { get; init; }

    /// <summary>The highest version of the audit's money reports (<c>BudgetReported</c>).</summary>
    public required long ReportVersion { get; init; }

    public required long SpentMicroUsd { get; init; }
    public required DateTime LastProgressAt { get; init; }
}

/// <summary>Fails every live audit, because the ledger they spend from has forgotten payments. Doing it twice does it once. Answered by <see cref="LiveAuditsFailed"/>.</summary>
public sealed record FailLiveAudits
{
    /// <summary>Why, for a reader.</summary>
    public required string Detail { get; init; }
}

/// <summary>No audit is live that was live when this was asked.</summary>
public sealed record LiveAuditsFailed
{
    public required IReadOnlyList<Guid> AuditIds { get; init; }
}

namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>Stops all spending everywhere. Answered (request/response) by <see cref="SpendingHalted"/> once no call can leave any more.</summary>
public sealed record HaltSpending
{
    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>
/// Allows spending again. Answered by <see cref="SpendingResumed"/>, or by <see cref="SpendingHalted"/> where the ledger was restored to an
/// earlier point: only <see cref="RecoverLedger"/> ends that halt.
/// </summary>
public sealed record ResumeSpending
{
    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Spending is halted; also published.</summary>
public sealed record SpendingHalted
{
    public required string Reason { get; init; }
    public required string HaltedBy { get; init; }
    public required DateTime HaltedAt { get; init; }
}

/// <summary>Spending is allowed again; also published.</summary>
public sealed record SpendingResumed
{
    public required string Reason { get; init; }
    public required string ResumedBy { get; init; }
    public required DateTime ResumedAt { get; init; }
}

/// <summary>Asks for the state of money; answered by <see cref="SpendingStatus"/>.</summary>
public sealed record GetSpending
{
    /// <summary>Only this audit's scopes; null for the day and all open audits.</summary>
    public Guid? AuditId { get; init; }

    /// <summary>How many UTC days, today included, are reported by engine in <see cref="SpendingStatus.ByDay"/>; 0 for none. At most 366.</summary>
    public int Days { get; init; }
}

/// <summary>The ledger's scopes, the halt, and what is in doubt.</summary>
public sealed record SpendingStatus
{
    public required bool Halted { get; init; }
    public string? HaltReason { get; init; }
    public string? HaltedBy { get; init; }
    public DateTime? HaltedAt { get; init; }

    /// <summary>Spent in the last minute.</summary>
    public required long BurnMicroUsdPerMinute { get; init; }

    public required IReadOnlyList<SpendingScope> Scopes { get; init; }
    public required IReadOnlyList<InDoubtCall> InDoubt { get; init; }

    /// <summary>What each engine cost on each day asked for, the latest day first; a day and engine without tries have no row. With an audit id: of this audit alone.</summary>
    public IReadOnlyList<EngineSpending> ByDay { get; init; } = [];
}

/// <summary>What one engine cost on one day: the UTC day on which the paying attempts were opened.</summary>
public sealed record EngineSpending
{
    /// <summary><c>yyyy-MM-dd</c>.</summary>
    public required string Day { get; init; }

    public required string Engine { get; init; }

    /// <summary>Tries that were sent, billed or not.</summary>
    public required int Tries { get; init; }

    /// <summary>Tries that were or may have been billed.</summary>
    public required int PaidTries { get; init; }

    /// <summary>Spent, overrun included; a try in doubt counts its worst case.</summary>
    public required long SpentMicroUsd { get; init; }

    /// <summary>The part of <see cref="SpentMicroUsd"/> that is in doubt.</summary>
    public required long InDoubtMicroUsd { get; init; }

    /// <summary>Reserved by tries on the wire.</summary>
    public required long ReservedMicroUsd { get; init; }
}

/// <summary>One row of the ledger's <c>spending</c> table.</summary>
public sealed record SpendingScope
{
    /// <summary><c>audit:…</c>, <c>tree:…</c> or <c>day:yyyy-MM-dd</c>.</summary>
    public required string Scope { get; init; }

    public required long CeilingMicroUsd { get; init; }
    public required long ReservedMicroUsd { get; init; }
    public required long SpentMicroUsd { get; init; }
    public required long OverrunMicroUsd { get; init; }
}

/// <summary>A try whose outcome nobody knows, with its price.</summary>
public sealed record InDoubtCall
{
    public required Guid AuditId { get; init; }
    public required string CallKey { get; init; }
    public required string Engine { get; init; }
    public required string Query { get; init; }
    public required string Reason { get; init; }
    public required long WorstCaseMicroUsd { get; init; }
    public required DateTime SentAt { get; init; }

    /// <summary>How a later try of the same call ended: its state. Null if nothing is known of the call to this day.</summary>
    public string? Since { get; init; }
}

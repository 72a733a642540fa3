namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>
/// Ends the halt of a ledger that was restored to an earlier point: unfinished audits are failed and fenced, what the ledger has forgotten is
/// listed, and only then may calls leave again. Doing it on a ledger that misses nothing changes nothing. Answered by <see cref="LedgerRecovered"/>.
/// </summary>
public sealed record RecoverLedger
{
    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>What became of a restored ledger, and what it has forgotten.</summary>
public sealed record LedgerRecovered
{
    /// <summary>Whether the ledger was behind what others had seen of it.</summary>
    public required bool WasRestored { get; init; }

    /// <summary>Where the ledger stood, and how far it had been: budgets opened between these are unknown to it.</summary>
    public required long LedgerSequence { get; init; }

    public required long HighestSequence { get; init; }

    /// <summary>The last thing the ledger remembers: what was sent after it may be missing. Null if it remembers nothing.</summary>
    public DateTime? UnknownFrom { get; init; }

    /// <summary>When the loss was found; nothing was sent from then on.</summary>
    public DateTime? UnknownTo { get; init; }

    /// <summary>Audits that were still live; they are failed, and can be retried.</summary>
    public required IReadOnlyList<Guid> FailedAudits { get; init; }

    /// <summary>Budgets that were open in the ledger; they are fenced.</summary>
    public required IReadOnlyList<Guid> FencedAudits { get; init; }

    /// <summary>Audits of which the ledger knows less than was seen.</summary>
    public required IReadOnlyList<ForgottenSpending> Forgotten { get; init; }
}

/// <summary>What the ledger has forgotten of one audit.</summary>
public sealed record ForgottenSpending
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string State { get; init; }

    /// <summary>What the saga had seen spent.</summary>
    public required long SeenMicroUsd { get; init; }

    /// <summary>What the ledger remembers.</summary>
    public required long KnownMicroUsd { get; init; }

    public required DateTime LastProgressAt { get; init; }
}

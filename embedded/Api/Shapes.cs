using Assay.Contracts;

namespace Assay.Embedded.Api;

// What the REST interface answers, as far as the command line reads it. Every property may be absent: a newer or older
// system stays usable.

sealed record AuditTicket
{
    public Guid AuditId { get; init; }
    public string Status { get; init; } = "";
    public int Attempt { get; init; }
    public bool Reused { get; init; }
    public Guid? ExistingAuditId { get; init; }
    public string? Message { get; init; }
}

sealed record AuditStatus
{
    public Guid AuditId { get; init; }
    public string? Brand { get; init; }
    public string? Kind { get; init; }
    public string Status { get; init; } = "";
    public int Attempt { get; init; }
    public string? Phase { get; init; }
    public double? Fraction { get; init; }
    public int? CompletedCalls { get; init; }
    public int? PlannedCalls { get; init; }
    public decimal? SpentUsd { get; init; }
    public decimal? ReservedUsd { get; init; }
    public decimal? InDoubtUsd { get; init; }
    public decimal? CeilingUsd { get; init; }
    public DateTime? RegisteredAt { get; init; }
    public DateTime? DeadlineAt { get; init; }
    public DateTime? EndedAt { get; init; }
    public DateTime? LastProgressAt { get; init; }
    public DateTime? LastHeartbeatAt { get; init; }
    public string? WaitingFor { get; init; }
    public bool Simulated { get; init; }
    public Guid? TrackingId { get; init; }
    public Guid? ParentAuditId { get; init; }
    public IReadOnlyList<EngineProgress>? Engines { get; init; }
    public IReadOnlyDictionary<string, ScoreValue>? Scores { get; init; }
    public AuditFailure? Failure { get; init; }
    public AuditRejection? Rejection { get; init; }
    public bool ReportReady { get; init; }
    public Guid? ReusedAuditId { get; init; }
    public IReadOnlyList<AuditStep>? Transitions { get; init; }

    public bool HasEnded => Status is AuditStates.Completed or AuditStates.Failed or AuditStates.Cancelled or AuditStates.Rejected;
}

sealed record EngineProgress
{
    public string Name { get; init; } = "";
    public int Decided { get; init; }
    public int Total { get; init; }
    public string? WaitingFor { get; init; }
}

sealed record AuditFailure
{
    public string? Reason { get; init; }
    public string? Detail { get; init; }
    public string? Phase { get; init; }
}

sealed record AuditRejection
{
    public string? Reason { get; init; }
    public string? Detail { get; init; }
    public Guid? ExistingAuditId { get; init; }
}

sealed record AuditStep
{
    public int Attempt { get; init; }
    public string From { get; init; } = "";
    public string To { get; init; } = "";
    public string? Trigger { get; init; }
    public DateTime At { get; init; }
    public double? ElapsedMs { get; init; }
}

sealed record Page<T>
{
    public IReadOnlyList<T> Items { get; init; } = [];
    public int Total { get; init; }
    public int Pages { get; init; }
}

sealed record Spending
{
    public bool Halted { get; init; }
    public string? HaltReason { get; init; }
    public string? HaltedBy { get; init; }
    public DateTime? HaltedAt { get; init; }
    public decimal BurnUsdPerMinute { get; init; }
    public IReadOnlyList<SpendingOfScope> Scopes { get; init; } = [];
    public IReadOnlyList<DoubtfulCall> InDoubt { get; init; } = [];
}

sealed record SpendingOfScope
{
    public string Scope { get; init; } = "";
    public decimal CeilingUsd { get; init; }
    public decimal ReservedUsd { get; init; }
    public decimal SpentUsd { get; init; }
    public decimal OverrunUsd { get; init; }
}

sealed record DoubtfulCall
{
    public Guid AuditId { get; init; }
    public string CallKey { get; init; } = "";
    public string Engine { get; init; } = "";
    public string? Reason { get; init; }
    public decimal WorstCaseUsd { get; init; }
}

sealed record EngineState
{
    public string Engine { get; init; } = "";
    public string Kind { get; init; } = "";
    public string Model { get; init; } = "";
    public bool Simulated { get; init; }
    public int MaxConcurrency { get; init; }
    public int? RequestsPerMinute { get; init; }
    public int OnTheWire { get; init; }
    public int Waiting { get; init; }
    public int RequestsInLastMinute { get; init; }
    public string? PausedBy { get; init; }
    public string? PauseReason { get; init; }
    public string State { get; init; } = "";
}

sealed record HaltAnswer
{
    public bool Halted { get; init; }
    public string? Reason { get; init; }
    public string? By { get; init; }
    public DateTime? At { get; init; }
}

sealed record CreatedKey
{
    public Guid KeyId { get; init; }
    public string Name { get; init; } = "";
    public string Role { get; init; } = "";
    public string Secret { get; init; } = "";
}

sealed record Problem
{
    public string? Title { get; init; }
    public int? Status { get; init; }
    public string? Detail { get; init; }
    public string? Reason { get; init; }
    public Guid? ExistingAuditId { get; init; }
    public IReadOnlyList<FieldProblem>? Errors { get; init; }
}

sealed record FieldProblem
{
    public string Field { get; init; } = "";
    public string Problem { get; init; } = "";
}

/// <summary>What became of a ledger whose database was restored to an earlier point.</summary>
sealed record LedgerRecovery
{
    public required bool WasRestored { get; init; }
    public required long LedgerSequence { get; init; }
    public required long HighestSequence { get; init; }
    public DateTime? UnknownFrom { get; init; }
    public DateTime? UnknownTo { get; init; }
    public required IReadOnlyList<Guid> FailedAudits { get; init; }
    public required IReadOnlyList<Guid> FencedAudits { get; init; }
    public required IReadOnlyList<ForgottenAudit> Forgotten { get; init; }
}

sealed record ForgottenAudit
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string State { get; init; }
    public required decimal SeenUsd { get; init; }
    public required decimal KnownUsd { get; init; }
    public required DateTime LastProgressAt { get; init; }
}

/// <summary>How many audits are to be told anew.</summary>
sealed record RebuildAnswer
{
    public required int Audits { get; init; }
}

/// <summary>How far a rebuild is, and what the last one came to.</summary>
sealed record RebuildProgress
{
    public required bool Running { get; init; }
    public required int Left { get; init; }
    public string? Outcome { get; init; }
}

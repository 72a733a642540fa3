namespace Assay.Contracts.Internal.LlmGateway;

/// <summary>Stops all spending everywhere. Answered (request/response) by <see cref="SpendingHalted"/> once no call can leave any more.</summary>
public sealed record HaltSpending
{
    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Allows spending again. Answered by <see cref="SpendingResumed"/>.</summary>
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
}

/// <summary>Asks which engines are configured; answered by <see cref="EngineList"/>.</summary>
public sealed record GetEngines;

/// <summary>The configured engines.</summary>
public sealed record EngineList
{
    public required IReadOnlyList<EngineInfo> Engines { get; init; }
}

/// <summary>A configured engine, without its secrets.</summary>
public sealed record EngineInfo
{
    public required string Engine { get; init; }
    public required string Kind { get; init; }
    public required string Model { get; init; }
    public required bool Simulated { get; init; }
    public required int MaxConcurrency { get; init; }
    public int? RequestsPerMinute { get; init; }
    public int? TokensPerMinute { get; init; }

    /// <summary><c>ready</c>, <c>paused</c>, <c>breaker open</c> or why it cannot be used.</summary>
    public required string State { get; init; }
}

/// <summary>Lets one engine rest: its calls wait until it is resumed or their deadline comes. Answered by <see cref="EngineList"/>.</summary>
public sealed record PauseEngine
{
    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    public required string Reason { get; init; }
    public required string RequestedBy { get; init; }
}

/// <summary>Lets a paused engine be asked again. Answered by <see cref="EngineList"/>.</summary>
public sealed record ResumeEngine
{
    /// <summary>The configured name of the engine.</summary>
    public required string Engine { get; init; }

    public required string RequestedBy { get; init; }
}

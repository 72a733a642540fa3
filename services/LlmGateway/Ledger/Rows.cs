using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Ledger;

/// <summary>What a scope may cost, has reserved and has spent: <c>audit:…</c>, <c>tree:…</c>, <c>day:…</c>.</summary>
public sealed class Spending
{
    public required string Scope { get; set; }
    public long CeilingMicroUsd { get; set; }
    public long ReservedMicroUsd { get; set; }
    public long SpentMicroUsd { get; set; }

    /// <summary>What providers charged above a try's reservation. It is outside the ceiling, and it halts spending.</summary>
    public long OverrunMicroUsd { get; set; }
}

/// <summary>States of an audit's budget.</summary>
public static class BudgetStates
{
    /// <summary>In the queue: open allocations of others stand in the way. Nothing is spent.</summary>
    public const string Waiting = "Waiting";
    public const string Open = "Open";
    public const string Refused = "Refused";
    public const string Closed = "Closed";
}

/// <summary>The money of an audit: its present attempt, the fence, its share of tree and day, and what its engines meant at first.</summary>
public sealed class AuditBudget
{
    public Guid AuditId { get; set; }
    public Guid TrackingId { get; set; }
    public int Attempt { get; set; }

    /// <summary>The fence: attempts up to this one spend nothing any more.</summary>
    public int ClosedAttempt { get; set; }

    /// <summary>One of <see cref="BudgetStates"/>.</summary>
    public required string State { get; set; }

    public long CeilingMicroUsd { get; set; }
    public long TreeCeilingMicroUsd { get; set; }
    public int PlannedCalls { get; set; }
    public long WorstCaseMicroUsd { get; set; }

    /// <summary>Worst case of the panel's answers and what follows; what is allocated above it returns when the first answer is asked.</summary>
    public long AnswersWorstMicroUsd { get; set; }

    /// <summary>Worst case of the insights; what is allocated above it returns when the first insight is asked.</summary>
    public long InsightsWorstMicroUsd { get; set; }

    /// <summary>The last purpose asked for in this attempt; the part of an allocation that only earlier phases needed has returned.</summary>
    public string? Phase { get; set; }

    /// <summary>Held in tree and day for this attempt: what open calls have reserved, and what later ones may.</summary>
    public long AllocatedMicroUsd { get; set; }

    /// <summary>Reserved by open calls of this attempt; a part of <see cref="AllocatedMicroUsd"/>.</summary>
    public long ReservedMicroUsd { get; set; }

    /// <summary>The UTC day on which this attempt's budget was opened, as <c>yyyy-MM-dd</c>.</summary>
    public string? Day { get; set; }

    public DateTime DeadlineAt { get; set; }
    public required string InDoubtPolicy { get; set; }

    /// <summary>The attempt in which an operator permits one further paid try of each call in doubt; 0 for none.</summary>
    public int AskAgainAttempt { get; set; }

    public string? PinsJson { get; set; }

    /// <summary>The trace in which this attempt was asked for, as a W3C <c>traceparent</c>; null if nobody traced it.</summary>
    public string? TraceParent { get; set; }

    /// <summary>Place in the queue for money; smaller goes first.</summary>
    public long QueueNumber { get; set; }

    public DateTime RequestedAt { get; set; }
    public DateTime? OpenedAt { get; set; }
    public long LedgerSequence { get; set; }
    public string? RefusalReason { get; set; }
    public string? RefusalDetail { get; set; }
    public long ReportVersion { get; set; }
    public DateTime? AliveAt { get; set; }
}

/// <summary>One paid request, by its key: the summary of its tries, and its answer.</summary>
public sealed class PaidCall
{
    public required string CallKey { get; set; }
    public Guid AuditId { get; set; }

    /// <summary>The attempt that planned it last.</summary>
    public int Attempt { get; set; }

    public required string Purpose { get; set; }
    public required string Engine { get; set; }
    public required string Model { get; set; }
    public int Run { get; set; }

    /// <summary>What is asked, as JSON.</summary>
    public required string RequestJson { get; set; }

    public long WorstCaseMicroUsd { get; set; }
    public int TokenBound { get; set; }

    /// <summary>One of <see cref="CallStates"/>.</summary>
    public required string State { get; set; }

    public string? Reason { get; set; }
    public Guid? Owner { get; set; }

    /// <summary>The latest try.</summary>
    public Guid? TryId { get; set; }

    /// <summary>
    /// When this row's own try was sent: the one on the wire, or the paid one that decided the call and whose state, number and price bound are the
    /// call's. Null if the row has none: every other try has a row of its own (<see cref="PaidTry"/>).
    /// </summary>
    public DateTime? SentAt { get; set; }

    /// <summary>The owner that sent the row's own try.</summary>
    public Guid? SentBy { get; set; }

    /// <summary>1 if the row's own try repeats one in doubt by permission.</summary>
    public int Permitted { get; set; }

    /// <summary>What the provider said to the row's own try.</summary>
    public int? HttpStatus { get; set; }

    /// <summary>The real price of the row's own try; 0 while it is on the wire.</summary>
    public long TrySpentMicroUsd { get; set; }

    /// <summary>The day that pays for the row's own try.</summary>
    public string? Day { get; set; }

    public long ReservedMicroUsd { get; set; }
    public long SpentMicroUsd { get; set; }

    /// <summary>Sends over all attempts; those given back unsent do not count.</summary>
    public int Tries { get; set; }

    /// <summary>Unreadable answers that were paid.</summary>
    public int InvalidTries { get; set; }

    /// <summary>Tries that were or may have been billed.</summary>
    public int PaidTries { get; set; }

    /// <summary>What the call is again if it cannot be asked once more: InDoubt while it is planned by permission, Empty while an unreadable answer is repeated.</summary>
    public string? FallbackState { get; set; }

    /// <summary>The attempt whose permission for a further try in doubt is used up.</summary>
    public int PermittedAttempt { get; set; }

    public DateTime DeadlineAt { get; set; }
    public DateTime PlannedAt { get; set; }
    public int Position { get; set; }

    public string? Text { get; set; }
    public string? TextHash { get; set; }
    public string? SourcesJson { get; set; }
    public bool? SearchUsed { get; set; }
    public string? ServedModel { get; set; }
    public string? Surface { get; set; }
    public int? ResponseTimeMs { get; set; }
    public int? InputTokens { get; set; }
    public int? OutputTokens { get; set; }
    public bool CacheHit { get; set; }
    public string? RawHash { get; set; }
    public DateTime? AnsweredAt { get; set; }
}

/// <summary>States of a try.</summary>
public static class TryStates
{
    public const string Sending = "Sending";
    public const string Answered = "Answered";
    public const string Refused = "Refused";
    public const string Empty = "Empty";

    /// <summary>The provider does not charge it.</summary>
    public const string NotBilled = "NotBilled";

    /// <summary>Given back: no byte was written.</summary>
    public const string NotSent = "NotSent";
    public const string InDoubt = "InDoubt";
}

/// <summary>
/// One send of a call. Written here are those that decided nothing, are in doubt or are followed by another; the others are columns of their
/// call. Read from here are all of them (the view <c>every_try</c>).
/// </summary>
public sealed class PaidTry
{
    public Guid TryId { get; set; }
    public required string CallKey { get; set; }
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public Guid Owner { get; set; }

    /// <summary>Its number among the sends of the call, from 1.</summary>
    public int Number { get; set; }

    public required string Engine { get; set; }

    /// <summary>1 if it repeats a try in doubt by permission.</summary>
    public int Permitted { get; set; }

    /// <summary>One of <see cref="TryStates"/>.</summary>
    public required string State { get; set; }

    public string? Reason { get; set; }
    public int? HttpStatus { get; set; }
    public long ReservedMicroUsd { get; set; }

    /// <summary>The real price; the worst case while in doubt.</summary>
    public long SpentMicroUsd { get; set; }

    /// <summary>The day that pays: that of its attempt's budget.</summary>
    public required string Day { get; set; }

    public DateTime SentAt { get; set; }
    public DateTime? EndedAt { get; set; }

    /// <summary>The price before the last change: an UPDATE that returns it tells what it really changed.</summary>
    public long SpentBeforeMicroUsd { get; set; }
}

/// <summary>A batch of questions for one engine.</summary>
public sealed class AskedBatch
{
    public Guid BatchId { get; set; }
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public required string Purpose { get; set; }
    public required string Engine { get; set; }
    public required string EngineKind { get; set; }
    public required string Model { get; set; }
    public bool Simulated { get; set; }
    public int Total { get; set; }
    public DateTime DeadlineAt { get; set; }
    public DateTime ReceivedAt { get; set; }
    public DateTime? FinishedAt { get; set; }

    /// <summary>When the Analyzer said that it holds the answers.</summary>
    public DateTime? StoredAt { get; set; }

    public DateTime? AliveAt { get; set; }
}

/// <summary>A question of a batch and the call that answers it.</summary>
public sealed class AskedQuestion
{
    public Guid BatchId { get; set; }
    public int Position { get; set; }
    public required string QuestionId { get; set; }
    public required string CallKey { get; set; }

    /// <summary>1 if the call was already decided when the question came, or an earlier question of the batch pays for it.</summary>
    public int Reused { get; set; }
}

/// <summary>One process start of the gateway: the owner of the calls it has taken.</summary>
public sealed class GatewayInstance
{
    public Guid Owner { get; set; }
    public required string Worker { get; set; }

    /// <summary>Key of the session advisory lock it holds while it lives (PostgreSQL).</summary>
    public int LockKey { get; set; }

    public DateTime StartedAt { get; set; }
    public DateTime LeaseUntil { get; set; }
    public DateTime? DeadAt { get; set; }

    /// <summary>When the sweep had seen to everything that it had when it died; it takes nothing after that.</summary>
    public DateTime? SweptAt { get; set; }

    /// <summary>By how many instances it divides each engine's limits.</summary>
    public int Divisor { get; set; }

    /// <summary>How many changes of engines it keeps; fewer than there are while it has not read the last ones.</summary>
    public int ChangesSeen { get; set; }

    /// <summary>Engines whose breaker is open here and until when, as JSON; null if none is.</summary>
    public string? BreakersJson { get; set; }
}

/// <summary>The one row that stops all spending.</summary>
public sealed class SpendingHalt
{
    public const int SingleId = 1;

    public int Id { get; set; }

    /// <summary>1 while halted.</summary>
    public int Halted { get; set; }

    public string? Reason { get; set; }
    public string? HaltedBy { get; set; }
    public DateTime? HaltedAt { get; set; }

    /// <summary>Grows with every budget opened; a lower number later means the database was restored to an earlier point.</summary>
    public long LedgerSequence { get; set; }

    /// <summary>What the sequence had been, where it is lower now: the database was restored, and only the recovery ends the halt.</summary>
    public long? LostSequence { get; set; }

    public DateTime? LossFoundAt { get; set; }
}

/// <summary>An engine that an operator lets rest; without a row it runs.</summary>
public sealed class EnginePause
{
    public required string Engine { get; set; }
    public required string Reason { get; set; }
    public required string PausedBy { get; set; }
    public DateTime PausedAt { get; set; }
}

/// <summary>Limits that an operator has set for an engine, over all instances; what is null, and an engine without a row, keeps to its settings.</summary>
public sealed class EngineLimit
{
    public required string Engine { get; set; }
    public int? MaxConcurrency { get; set; }
    public int? RequestsPerMinute { get; set; }
    public int? TokensPerMinute { get; set; }
    public required string Reason { get; set; }
    public required string SetBy { get; set; }
    public DateTime SetAt { get; set; }
}

/// <summary>What an operator changed about an engine; only ever added to.</summary>
public sealed class EngineChanged
{
    public Guid ChangeId { get; set; }
    public required string Engine { get; set; }

    /// <summary>One of <see cref="EngineChanges"/>.</summary>
    public required string Change { get; set; }

    public string? Detail { get; set; }
    public required string Reason { get; set; }
    public required string ChangedBy { get; set; }
    public DateTime ChangedAt { get; set; }
}

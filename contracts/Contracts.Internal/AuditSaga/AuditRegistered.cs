using Assay.Contracts;

namespace Assay.Contracts.Internal.AuditSaga;

/// <summary>The saga knows this request now, accepted or not: what a read model needs to list it. Published at admission and again by a retry.</summary>
public sealed record AuditRegistered
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required RequestAudit Request { get; init; }
    public required Guid TrackingId { get; init; }

    /// <summary>From the root to the parent.</summary>
    public required IReadOnlyList<Guid> Ancestry { get; init; }

    public required int Depth { get; init; }

    /// <summary>The ceiling over all attempts; a retry may have raised it.</summary>
    public required long CeilingMicroUsd { get; init; }

    public required DateTime RegisteredAt { get; init; }
    public required DateTime DeadlineAt { get; init; }
}

/// <summary>The audit went from one state to another.</summary>
public sealed record AuditTransitioned
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>Grows with every transition of this audit.</summary>
    public required int Sequence { get; init; }

    public required string From { get; init; }
    public required string To { get; init; }

    /// <summary>The message or watch that caused it.</summary>
    public required string Trigger { get; init; }

    public required string Worker { get; init; }
    public required DateTime At { get; init; }

    /// <summary>Time spent in <see cref="From"/>.</summary>
    public required long ElapsedMs { get; init; }

    /// <summary>Where the step ends an accepted audit: the calls decided, as progress counts them; else null.</summary>
    public int? CompletedCalls { get; init; }

    /// <summary>Where the step ends an accepted audit: the calls planned, as progress counts them; else null.</summary>
    public int? PlannedCalls { get; init; }
}

/// <summary>Scheduled: no progress for the phase's stall timeout. The saga re-checks its row and re-arms when it fires early.</summary>
public sealed record AuditStalled
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
}

/// <summary>Scheduled: the audit's deadline has come.</summary>
public sealed record AuditDeadlinePassed
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
}

namespace Assay.Contracts;

/// <summary>Progress of a live audit, at most one a second per audit. Advisory: the terminal events are the truth.</summary>
public sealed record AuditProgressed
{
    /// <summary>The audit.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>One of <see cref="AuditStates"/>.</summary>
    public required string Phase { get; init; }

    /// <summary>Calls decided so far, whatever their outcome.</summary>
    public required int CompletedCalls { get; init; }

    /// <summary>Calls planned.</summary>
    public required int PlannedCalls { get; init; }

    /// <summary>Share of the whole audit done, 0–1.</summary>
    public required double Fraction { get; init; }

    /// <summary>Spent so far over all attempts, in US dollars; calls in doubt count with their worst case.</summary>
    public required decimal SpentUsd { get; init; }

    /// <summary>The audit's ceiling in US dollars.</summary>
    public required decimal CeilingUsd { get; init; }

    /// <summary>When something was last achieved (UTC).</summary>
    public required DateTime LastProgressAt { get; init; }

    /// <summary>When a worker last said it is alive and waiting (UTC).</summary>
    public DateTime? LastHeartbeatAt { get; init; }

    /// <summary>What the audit waits for, if it waits: a limit, a breaker, a halt, money.</summary>
    public string? WaitingFor { get; init; }

    /// <summary>The process that reported last.</summary>
    public required string Worker { get; init; }
}

namespace Assay.Contracts;

/// <summary>An audit ended without a complete report. What was answered and paid is kept; a retry pays only for what is missing.</summary>
public sealed record AuditFailed
{
    /// <summary>The audit.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt that failed, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>One of <see cref="FailureReasons"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>The reason for a reader: what, why, what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>The phase it was in; one of <see cref="AuditStates"/>.</summary>
    public required string Phase { get; init; }

    /// <summary>Spent over all attempts, in US dollars.</summary>
    public required decimal SpentUsd { get; init; }

    /// <summary>When it failed (UTC).</summary>
    public required DateTime FailedAt { get; init; }
}

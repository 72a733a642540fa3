namespace Assay.Contracts;

/// <summary>An audit was ended by a person or producer. What was answered and paid is kept.</summary>
public sealed record AuditCancelled
{
    /// <summary>The audit.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt that was cancelled, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The reason given.</summary>
    public required string Reason { get; init; }

    /// <summary>The phase it was in; one of <see cref="AuditStates"/>.</summary>
    public required string Phase { get; init; }

    /// <summary>Spent over all attempts, in US dollars.</summary>
    public required decimal SpentUsd { get; init; }

    /// <summary>When it was cancelled (UTC).</summary>
    public required DateTime CancelledAt { get; init; }
}

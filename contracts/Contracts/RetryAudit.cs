namespace Assay.Contracts;

/// <summary>
/// Starts the next attempt of a Failed or Cancelled audit. Resumes at the first phase whose output is missing and pays only for what is missing.
/// Refused unless the audit is at <see cref="FromAttempt"/>, so that a double click starts one attempt.
/// </summary>
public sealed record RetryAudit
{
    /// <summary>The audit to retry.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt that ended; the new one is this plus one.</summary>
    public required int FromAttempt { get; init; }

    /// <summary>Why, for the record.</summary>
    public required string Reason { get; init; }

    /// <summary>A new, higher ceiling over all attempts in US dollars; null keeps the present one.</summary>
    public decimal? CeilingUsd { get; init; }

    /// <summary>Permits one further paid try of each call whose outcome is in doubt.</summary>
    public bool AskInDoubtAgain { get; init; }

    /// <summary>Who asks, for the record.</summary>
    public string? RequestedBy { get; init; }
}

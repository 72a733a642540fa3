namespace Assay.Contracts;

/// <summary>Ends a live audit: no further call is sent, what was paid is kept. Answered by <see cref="AuditCancelled"/>; ignored once the audit has ended.</summary>
public sealed record CancelAudit
{
    /// <summary>The audit to end.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>Why, for the record.</summary>
    public required string Reason { get; init; }

    /// <summary>Who asks, for the record.</summary>
    public string? RequestedBy { get; init; }
}

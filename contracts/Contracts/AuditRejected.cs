namespace Assay.Contracts;

/// <summary>A request was refused; nothing was spent.</summary>
public sealed record AuditRejected
{
    /// <summary>The audit id of the refused request.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>One of <see cref="RejectionReasons"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>The reason for a reader: what, why, what to do.</summary>
    public required string Detail { get; init; }

    /// <summary>The audit that stands in the way or already has the result, where there is one.</summary>
    public Guid? ExistingAuditId { get; init; }

    /// <summary>When it was refused (UTC).</summary>
    public required DateTime RejectedAt { get; init; }
}

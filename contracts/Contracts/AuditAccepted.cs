namespace Assay.Contracts;

/// <summary>An audit (or a new attempt of it) has passed its guards and has its budget.</summary>
public sealed record AuditAccepted
{
    /// <summary>The audit.</summary>
    public required Guid AuditId { get; init; }

    /// <summary>The attempt, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>Identity of the lineage tree: the root's audit id.</summary>
    public required Guid TrackingId { get; init; }

    /// <summary>Depth in the lineage; 0 for a root.</summary>
    public required int Depth { get; init; }

    /// <summary>Paid calls planned.</summary>
    public required int PlannedCalls { get; init; }

    /// <summary>Worst case of those calls in US dollars.</summary>
    public required decimal WorstCaseUsd { get; init; }

    /// <summary>The audit's ceiling in US dollars.</summary>
    public required decimal CeilingUsd { get; init; }

    /// <summary>When it was accepted (UTC).</summary>
    public required DateTime AcceptedAt { get; init; }

    /// <summary>When it will be failed if it has not ended (UTC).</summary>
    public required DateTime DeadlineAt { get; init; }
}

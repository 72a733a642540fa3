namespace Assay.AuditSaga.Pruning;

/// <summary>What stays of a pruned audit, so that an old message that is played again starts nothing.</summary>
public sealed class AuditTombstone
{
    public Guid AuditId { get; set; }

    /// <summary>The terminal state it was in.</summary>
    public string State { get; set; } = "";

    public DateTime EndedAt { get; set; }
    public DateTime PrunedAt { get; set; }
}

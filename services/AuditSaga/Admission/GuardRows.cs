namespace Assay.AuditSaga.Admission;

/// <summary>The guard: one live audit by brand, kind and panel. Its unique key decides races; the row goes in the transaction that ends the audit.</summary>
public sealed class LiveAudit
{
    public Guid AuditId { get; set; }
    public string BrandKey { get; set; } = "";
    public string Kind { get; set; } = "";
    public string PanelHash { get; set; } = "";
}

/// <summary>A lineage tree: how many audits it holds and what the whole may cost.</summary>
public sealed class LineageTree
{
    public Guid TrackingId { get; set; }
    public int Size { get; set; }
    public long CeilingMicroUsd { get; set; }

    /// <summary>Whether the ceiling was derived from the root's, so that a retry that raises one raises the other.</summary>
    public bool CeilingDefaulted { get; set; }
}

/// <summary>How often <c>force</c> has overridden a complete result, by brand, kind and UTC day.</summary>
public sealed class ForcedAudits
{
    public string BrandKey { get; set; } = "";
    public string Kind { get; set; } = "";
    public DateOnly Day { get; set; }
    public int Used { get; set; }
}

using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;

namespace Assay.AuditSaga.Audits;

/// <summary>What was asked for; beside the hot row, because it is read four times in a life and may hold a thousand queries.</summary>
public sealed class AuditRequest
{
    public Guid AuditId { get; set; }
    public RequestAudit Request { get; set; } = null!;
}

/// <summary>The panel, immutable per audit.</summary>
public sealed class AuditPlan
{
    public Guid AuditId { get; set; }
    public Guid PlanId { get; set; }
    public string Source { get; set; } = "";
    public IReadOnlyList<PlannedQuery> Queries { get; set; } = [];
}

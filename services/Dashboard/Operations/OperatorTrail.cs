using Assay.Dashboard.Database;

namespace Assay.Dashboard.Operations;

/// <summary>Who did what, why and when. Written before the action leaves.</summary>
sealed class OperatorTrail(DashboardDbContext db, TimeProvider time)
{
    public async Task RecordAsync(string who, string action, Guid? auditId, string? reason, string? detail, CancellationToken cancellationToken)
    {
        db.OperatorActions.Add(new OperatorActionRow
        {
            ActionId = Guid.CreateVersion7(), At = time.GetUtcNow().UtcDateTime, Who = who, Action = action, AuditId = auditId,
            Reason = string.IsNullOrWhiteSpace(reason) ? "no reason given" : reason.Trim(), Detail = detail,
        });
        await db.SaveChangesAsync(cancellationToken);
    }
}

using Assay.Contracts;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Database;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Deletion;

enum DeletionOutcome
{
    Deleted,
    NoSuchAudit,
    StillRunning,
}

/// <summary>
/// Deletes an ended audit: first the texts, at the Analyzer, which has the ledger let its own go, then everything here. The ledger keeps its
/// amounts and the saga what was requested, until it is pruned: money and promises stay countable.
/// </summary>
sealed class AuditDeletion(DashboardDbContext db, AnalyzerClient analyzer, TimeProvider time)
{
    public async Task<DeletionOutcome> DeleteAsync(Guid auditId, string by, CancellationToken cancellationToken)
    {
        var status = await db.Audits.AsNoTracking().Where(a => a.AuditId == auditId).Select(a => a.Status).SingleOrDefaultAsync(cancellationToken);
        if (status is null)
            return DeletionOutcome.NoSuchAudit;
        if (!ReadStates.IsOver(status))
            return DeletionOutcome.StillRunning;
        if (status != AuditStates.Rejected)
            await analyzer.EraseAsync(auditId, by, cancellationToken);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        // Locked first: a late message waits, then sees the tombstone.
        if (await db.LockAuditAsync(auditId, time.GetUtcNow().UtcDateTime, cancellationToken) is null)
            return DeletionOutcome.NoSuchAudit;
        db.ChangeTracker.Clear();
        db.DeletedAudits.Add(new DeletedAuditRow { AuditId = auditId, DeletedAt = time.GetUtcNow().UtcDateTime, DeletedBy = by });
        await db.SaveChangesAsync(cancellationToken);
        await db.Answers.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Batches.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.BatchProgress.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Scores.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.InsightLayers.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Judgements.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Manifests.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Panels.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.Transitions.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.AttemptEnds.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.ShareLinks.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await db.WebhookDeliveries.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        // Alerts are kept under their own ids; what they tell of this audit goes too.
        var mine = $"\"auditId\":\"{auditId}\"";
        await db.WebhookDeliveries.Where(x => x.Event == nameof(AlertRaised) && x.Body.Contains(mine)).ExecuteDeleteAsync(cancellationToken);
        await db.Audits.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return DeletionOutcome.Deleted;
    }
}

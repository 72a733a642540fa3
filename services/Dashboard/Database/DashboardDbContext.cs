using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Database;

/// <summary>The read model, and who may see it. Nothing here decides about an audit or about money.</summary>
public class DashboardDbContext(DbContextOptions options) : AssayDbContext(options)
{
    internal DbSet<AuditRow> Audits => Set<AuditRow>();
    internal DbSet<PanelRow> Panels => Set<PanelRow>();
    internal DbSet<BatchRow> Batches => Set<BatchRow>();
    internal DbSet<BatchProgressRow> BatchProgress => Set<BatchProgressRow>();
    internal DbSet<AnswerRow> Answers => Set<AnswerRow>();
    internal DbSet<ScoreRow> Scores => Set<ScoreRow>();
    internal DbSet<InsightLayerRow> InsightLayers => Set<InsightLayerRow>();
    internal DbSet<JudgementRow> Judgements => Set<JudgementRow>();
    internal DbSet<ManifestRow> Manifests => Set<ManifestRow>();
    internal DbSet<TransitionRow> Transitions => Set<TransitionRow>();
    internal DbSet<AccessKeyRow> AccessKeys => Set<AccessKeyRow>();
    internal DbSet<LoginLinkRow> LoginLinks => Set<LoginLinkRow>();
    internal DbSet<SessionRow> Sessions => Set<SessionRow>();
    internal DbSet<ShareLinkRow> ShareLinks => Set<ShareLinkRow>();
    internal DbSet<OperatorActionRow> OperatorActions => Set<OperatorActionRow>();
    internal DbSet<KnownQueueRow> KnownQueues => Set<KnownQueueRow>();
    internal DbSet<AttemptEndRow> AttemptEnds => Set<AttemptEndRow>();
    internal DbSet<DeletedAuditRow> DeletedAudits => Set<DeletedAuditRow>();
    internal DbSet<WebhookRow> Webhooks => Set<WebhookRow>();
    internal DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();

    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfiguration(new AuditRow.Map());
        PieceMaps.Apply(modelBuilder);
        AccessMaps.Apply(modelBuilder);
    }

    /// <summary>
    /// Creates the audit's row if need be, locks it until the transaction ends and gives it back tracked: whoever projects next waits, so that
    /// two last pieces of a report cannot miss each other. Null for a deleted audit: what comes late does not bring it back.
    /// </summary>
    internal async Task<AuditRow?> LockAuditAsync(Guid auditId, DateTime now, CancellationToken cancellationToken)
    {
        // The same statement on PostgreSQL and SQLite; the conflicting UPDATE takes the row lock.
        await Database.ExecuteSqlAsync(
            $"""
            INSERT INTO audit (audit_id, status, attempt, created_at, request_attempt, search_text, depth, ceiling_micro_usd, accepted_attempt, planned_calls,
                worst_case_micro_usd, decisions, state_sequence, ended_attempt, progress_attempt, completed_calls, fraction, budget_version, reserved_micro_usd,
                spent_micro_usd, in_doubt_micro_usd, overrun_micro_usd, calls, paid_tries, in_doubt, reused, budget_final, score_attempt, simulated, report_attempt, version, updated_at)
            VALUES ({auditId}, {ReadStates.Requested}, 0, {now}, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {false}, 0, {false}, 0, 1, {now})
            ON CONFLICT (audit_id) DO UPDATE SET version = audit.version + 1, updated_at = excluded.updated_at
            """, cancellationToken);
        // Asked after the lock: a deletion that held the row has committed its tombstone by now.
        var locked = await Audits.Where(audit => audit.AuditId == auditId).Select(audit => new { Row = audit, Deleted = DeletedAudits.Any(deleted => deleted.AuditId == auditId) }).SingleAsync(cancellationToken);
        if (!locked.Deleted)
            return locked.Row;
        Entry(locked.Row).State = EntityState.Detached;
        await Audits.Where(audit => audit.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
        return null;
    }
}

/// <summary>The read model on PostgreSQL.</summary>
public sealed class PostgreSqlDashboardDbContext(DbContextOptions<PostgreSqlDashboardDbContext> options) : DashboardDbContext(options);

/// <summary>The read model in a SQLite file.</summary>
public sealed class SqliteDashboardDbContext(DbContextOptions<SqliteDashboardDbContext> options) : DashboardDbContext(options);

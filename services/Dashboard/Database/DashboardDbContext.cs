using Assay.Dashboard.Rebuild;
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
    internal DbSet<RebuildRow> Rebuilds => Set<RebuildRow>();
    internal DbSet<WebhookRow> Webhooks => Set<WebhookRow>();
    internal DbSet<IdempotentAnswerRow> IdempotentAnswers => Set<IdempotentAnswerRow>();
    internal DbSet<WebhookDeliveryRow> WebhookDeliveries => Set<WebhookDeliveryRow>();

    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfiguration(new AuditRow.Map());
        PieceMaps.Apply(modelBuilder);
        AccessMaps.Apply(modelBuilder);
    }

    /// <summary>
    /// Creates the audit's row if need be, locks it until the transaction ends and gives it back tracked, one version further: whoever projects
    /// next waits, so that two last pieces of a report cannot miss each other. Null for a deleted audit: what comes late does not bring it back.
    /// </summary>
    internal async Task<AuditRow?> LockAuditAsync(Guid auditId, DateTime now, CancellationToken cancellationToken)
    {
        if ((await LockAuditsAsync([auditId], now, cancellationToken)).GetValueOrDefault(auditId) is not { } row)
            return null;
        Attach(row);
        row.Version++;
        row.UpdatedAt = now;
        return row;
    }

    /// <summary>
    /// Creates the rows that are missing, locks all until the transaction ends and gives them back untracked. A deleted audit has none: its
    /// tombstone came in the transaction that took its row, so that every statement sees one of the two.
    /// </summary>
    internal async Task<Dictionary<Guid, AuditRow>> LockAuditsAsync(IReadOnlyCollection<Guid> auditIds, DateTime now, CancellationToken cancellationToken)
    {
        // Everybody creates first and then locks, both in the order of the ids: two processes cannot wait for each other.
        Guid[] ids = [.. auditIds.Distinct().Order()];
        if (Database.IsNpgsql())
        {
            await Database.ExecuteSqlRawAsync(CreateAudits("unnest({0}) AS wanted(audit_id)"), [ids, now], cancellationToken);
            return await Audits.FromSqlRaw("SELECT * FROM audit WHERE audit_id = ANY ({0}) ORDER BY audit_id FOR UPDATE", ids)
                .AsNoTracking().ToDictionaryAsync(audit => audit.AuditId, cancellationToken);
        }

        // SQLite's transaction holds the only write lock already.
        foreach (var id in ids)
            await Database.ExecuteSqlRawAsync(CreateAudits("(SELECT {0} AS audit_id) AS wanted"), [id, now], cancellationToken);
        return await Audits.AsNoTracking().Where(audit => ids.Contains(audit.AuditId)).ToDictionaryAsync(audit => audit.AuditId, cancellationToken);
    }

    static string CreateAudits(string wanted) =>
        $$"""
        INSERT INTO audit (audit_id, status, attempt, created_at, request_attempt, search_text, depth, ceiling_micro_usd, accepted_attempt, planned_calls,
            worst_case_micro_usd, decisions, state_sequence, ended_attempt, progress_attempt, completed_calls, fraction, budget_version, reserved_micro_usd,
            spent_micro_usd, in_doubt_micro_usd, overrun_micro_usd, calls, paid_tries, in_doubt, reused, budget_final, score_attempt, simulated, report_attempt, version, updated_at)
        SELECT wanted.audit_id, '{{ReadStates.Requested}}', 0, {1}, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, FALSE, 0, FALSE, 0, 0, {1}
        FROM {{wanted}}
        WHERE NOT EXISTS (SELECT 1 FROM audit WHERE audit.audit_id = wanted.audit_id) AND NOT EXISTS (SELECT 1 FROM deleted_audit WHERE deleted_audit.audit_id = wanted.audit_id)
        ORDER BY wanted.audit_id
        ON CONFLICT (audit_id) DO NOTHING
        """;
}

/// <summary>The read model on PostgreSQL.</summary>
public sealed class PostgreSqlDashboardDbContext(DbContextOptions<PostgreSqlDashboardDbContext> options) : DashboardDbContext(options);

/// <summary>The read model in a SQLite file.</summary>
public sealed class SqliteDashboardDbContext(DbContextOptions<SqliteDashboardDbContext> options) : DashboardDbContext(options);

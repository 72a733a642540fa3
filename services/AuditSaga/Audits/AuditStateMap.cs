using Assay.AuditSaga.Database;
using Assay.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.AuditSaga.Audits;

/// <summary>Table <c>audit</c> and what may never stand in it.</summary>
static class AuditStateMap
{
    static readonly string Live = List(AuditPhases.Live);
    static readonly string Terminal = List(AuditPhases.Terminal);

    /// <summary>Each rule by name, in SQL that both databases read the same way.</summary>
    public static readonly IReadOnlyDictionary<string, string> Rules = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["ck_audit_state"] = $"current_state IN ({Live}, {Terminal})",
        ["ck_audit_completed_has_time"] = $"(current_state = '{AuditStates.Completed}') = (completed_at IS NOT NULL)",
        ["ck_audit_completed_has_scores"] = $"current_state <> '{AuditStates.Completed}' OR (scores IS NOT NULL AND scores NOT IN ('', 'null', '{{}}') AND score_id IS NOT NULL AND metrics_version IS NOT NULL AND coverage IS NOT NULL AND coverage NOT IN ('', 'null', '{{}}') AND answers_complete AND drafted_layers = {AuditState.InsightLayers} AND open_batches = '{{}}')",
        ["ck_audit_failed_has_reason"] = $"(current_state IN ('{AuditStates.Failed}', '{AuditStates.Rejected}')) = (failure_reason IS NOT NULL) AND (failure_reason IS NULL OR failure_reason <> '')",
        ["ck_audit_ended_has_time"] = $"(current_state IN ({Terminal})) = (ended_at IS NOT NULL)",
        ["ck_audit_ended_has_ender"] = $"(current_state IN ({Terminal})) = (ended_by IS NOT NULL)",
        ["ck_audit_advanced_has_output"] = $"(current_state NOT IN ('{AuditStates.Asking}', '{AuditStates.Scoring}', '{AuditStates.Advising}', '{AuditStates.Publishing}') OR plan_id IS NOT NULL) AND (current_state NOT IN ('{AuditStates.Scoring}', '{AuditStates.Advising}', '{AuditStates.Publishing}') OR answers_complete) AND (current_state NOT IN ('{AuditStates.Advising}', '{AuditStates.Publishing}') OR score_id IS NOT NULL)",
        ["ck_audit_erased_has_ended"] = $"erased_at IS NULL OR current_state IN ({Terminal})",
        ["ck_audit_numbers"] = "attempt >= 1 AND uncounted_attempts >= 0 AND uncounted_attempts < attempt AND depth >= 0 AND ceiling_micro_usd >= 0 AND settled_micro_usd >= 0 AND reported_micro_usd >= 0 AND panel_calls >= 0",
        ["ck_audit_lineage"] = "(depth = 0) = (parent_audit_id IS NULL) OR current_state = 'Rejected'",
    };

    public static void Map(EntityTypeBuilder<AuditState> audit)
    {
        audit.ToTable("audit", table =>
        {
            foreach (var (name, sql) in Rules)
                table.HasCheckConstraint(name, sql);
        });
        audit.HasKey(x => x.CorrelationId);
        audit.Property(x => x.CorrelationId).HasColumnName("audit_id").ValueGeneratedNever();
        audit.Property(x => x.Version).IsConcurrencyToken();
        audit.Property(x => x.Ancestry).HasJson();
        audit.Property(x => x.BatchIds).HasJson();
        audit.Property(x => x.OpenBatches).HasJson();
        audit.Property(x => x.Coverage).HasJson();
        audit.Property(x => x.Scores).HasJson();
        audit.HasIndex(x => new { x.CurrentState, x.DeadlineAt });
        audit.HasIndex(x => new { x.BrandKey, x.Kind, x.PanelHash });
        audit.HasIndex(x => x.TrackingId);
    }

    static string List(IEnumerable<string> states) => string.Join(", ", states.Select(state => $"'{state}'"));
}

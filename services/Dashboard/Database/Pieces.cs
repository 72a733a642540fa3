using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Rebuild;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Dashboard.Database;

/// <summary>The panel of queries of an audit.</summary>
sealed class PanelRow
{
    public Guid AuditId { get; set; }
    public required string Json { get; set; }
}

/// <summary>A batch of panel answers that is in the read model.</summary>
sealed class BatchRow
{
    public Guid BatchId { get; set; }
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public required string Engine { get; set; }
    public int AnswerCount { get; set; }
}

/// <summary>How far a batch is, from signs of life.</summary>
sealed class BatchProgressRow
{
    public Guid AuditId { get; set; }
    public Guid BatchId { get; set; }
    public int Attempt { get; set; }
    public required string Engine { get; set; }
    public int DecidedCalls { get; set; }
    public int TotalCalls { get; set; }
    public string? WaitingFor { get; set; }
    public DateTime? WaitingUntil { get; set; }
    public string? Worker { get; set; }
    public DateTime At { get; set; }
}

/// <summary>One panel answer without its text: columns to filter by, and everything else as it was described.</summary>
sealed class AnswerRow
{
    public Guid AuditId { get; set; }
    public required string CallKey { get; set; }
    public Guid BatchId { get; set; }
    public int Attempt { get; set; }
    public required string Engine { get; set; }
    public required string EngineKind { get; set; }
    public bool Simulated { get; set; }
    public required string QueryId { get; set; }
    public int Run { get; set; }
    public required string Outcome { get; set; }

    /// <summary>The brands it names, each between line feeds, for filtering.</summary>
    public required string Brands { get; set; }

    /// <summary>The DescribedAnswer as JSON.</summary>
    public required string Json { get; set; }
}

/// <summary>The scores of an audit.</summary>
sealed class ScoreRow
{
    public Guid ScoreId { get; set; }
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public DateTime ScoredAt { get; set; }
    public required string Json { get; set; }
}

/// <summary>One layer of insights, of the highest attempt that drafted it.</summary>
sealed class InsightLayerRow
{
    public Guid AuditId { get; set; }
    public int Layer { get; set; }
    public int Attempt { get; set; }
    public required string Json { get; set; }
}

/// <summary>A language model's second opinions, of the highest attempt that asked for them.</summary>
sealed class JudgementRow
{
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }

    /// <summary>The AnswersJudged as JSON.</summary>
    public required string Json { get; set; }
}

/// <summary>What a report must contain before it is published.</summary>
sealed class ManifestRow
{
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public required string Json { get; set; }
    public DateTime? PublishedAt { get; set; }
}

/// <summary>One transition of an audit.</summary>
sealed class TransitionRow
{
    public Guid AuditId { get; set; }
    public int Sequence { get; set; }
    public int Attempt { get; set; }
    public required string FromState { get; set; }
    public required string ToState { get; set; }
    public required string Trigger { get; set; }
    public required string Worker { get; set; }
    public DateTime At { get; set; }
    public long ElapsedMs { get; set; }

    /// <summary>The trace in which it happened, where tracing is on.</summary>
    public string? TraceId { get; set; }
}

/// <summary>How one attempt of an audit ended.</summary>
sealed class AttemptEndRow
{
    public Guid AuditId { get; set; }
    public int Attempt { get; set; }
    public required string Status { get; set; }
    public string? Reason { get; set; }
    public string? Detail { get; set; }
    public string? Phase { get; set; }
    public DateTime EndedAt { get; set; }

    /// <summary>Null of an attempt that only the saga's transitions still tell of.</summary>
    public long? SpentMicroUsd { get; set; }

    /// <summary>An end told again after its own message was lost here.</summary>
    public static AttemptEndRow Of(Guid auditId, EarlierEnd end) => new()
    {
        AuditId = auditId, Attempt = end.Attempt, Status = end.Status, Reason = end.Reason, Phase = end.Phase, EndedAt = end.EndedAt,
        Detail = $"Ended by {end.Trigger}. This was told again after a loss; words and money of the end were not.",
    };

    public static AttemptEndRow Of(AuditCompleted end) => new()
    {
        AuditId = end.AuditId, Attempt = end.Attempt, Status = AuditStates.Completed, EndedAt = end.CompletedAt, SpentMicroUsd = MicroUsd.FromUsd(end.SpentUsd),
    };

    public static AttemptEndRow Of(AuditFailed end) => new()
    {
        AuditId = end.AuditId, Attempt = end.Attempt, Status = AuditStates.Failed, Reason = end.Reason, Detail = end.Detail, Phase = end.Phase,
        EndedAt = end.FailedAt, SpentMicroUsd = MicroUsd.FromUsd(end.SpentUsd),
    };

    public static AttemptEndRow Of(AuditCancelled end) => new()
    {
        AuditId = end.AuditId, Attempt = end.Attempt, Status = AuditStates.Cancelled, Reason = "Cancelled", Detail = end.Reason, Phase = end.Phase,
        EndedAt = end.CancelledAt, SpentMicroUsd = MicroUsd.FromUsd(end.SpentUsd),
    };
}

/// <summary>What is left of a deleted audit: messages about it that come later change nothing.</summary>
sealed class DeletedAuditRow
{
    public Guid AuditId { get; set; }
    public DateTime DeletedAt { get; set; }
    public required string DeletedBy { get; set; }
}

static class PieceMaps
{
    public static void Apply(ModelBuilder model)
    {
        model.Entity<PanelRow>(row => row.ToTable("panel").HasKey(r => r.AuditId));
        model.Entity<BatchRow>(row =>
        {
            row.ToTable("batch").HasKey(r => r.BatchId);
            row.Property(r => r.BatchId).ValueGeneratedNever();
            row.HasIndex(r => r.AuditId);
        });
        model.Entity<BatchProgressRow>(row => row.ToTable("batch_progress").HasKey(r => new { r.AuditId, r.BatchId }));
        model.Entity<AnswerRow>(row =>
        {
            row.ToTable("answer", table => table.HasCheckConstraint("ck_answer_outcome", "outcome IN ('valid', 'declined', 'refused', 'empty', 'inDoubt')"));
            row.HasKey(r => new { r.AuditId, r.CallKey });
            row.HasIndex(r => new { r.AuditId, r.QueryId, r.Engine, r.Run });
        });
        model.Entity<ScoreRow>(row =>
        {
            row.ToTable("score").HasKey(r => r.ScoreId);
            row.Property(r => r.ScoreId).ValueGeneratedNever();
            row.HasIndex(r => r.AuditId);
        });
        model.Entity<InsightLayerRow>(row => row.ToTable("insight_layer").HasKey(r => new { r.AuditId, r.Layer }));
        model.Entity<JudgementRow>(row => row.ToTable("judgement").HasKey(r => r.AuditId));
        model.Entity<ManifestRow>(row => row.ToTable("manifest").HasKey(r => new { r.AuditId, r.Attempt }));
        model.Entity<AttemptEndRow>(row => row.ToTable("attempt_end").HasKey(r => new { r.AuditId, r.Attempt }));
        model.Entity<DeletedAuditRow>(row =>
        {
            row.ToTable("deleted_audit").HasKey(r => r.AuditId);
            row.Property(r => r.AuditId).ValueGeneratedNever();
        });
        model.Entity<RebuildRow>(row =>
        {
            row.ToTable("rebuild").HasKey(r => r.AuditId);
            row.Property(r => r.AuditId).ValueGeneratedNever();
        });
        model.Entity<TransitionRow>(row => row.ToTable("transition").HasKey(r => new { r.AuditId, r.Sequence }));
    }
}

using Assay.Analyzer.Database;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.JudgeAnswers;

/// <summary>A second opinion beside the deterministic reading; it changes no score.</summary>
sealed class JudgementRow
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string CallKey { get; init; }

    /// <summary>The judge's own values; null where its answer could not be had or used.</summary>
    public double? Recommendation { get; init; }

    public int? Sentiment { get; init; }
    public string? Features { get; init; }

    /// <summary>Why there is no judgement.</summary>
    public string? Reason { get; init; }

    public required double ReadRecommendation { get; init; }
    public required int ReadSentiment { get; init; }
    public required string ReadFeatures { get; init; }

    /// <summary>Whether judge and reading differ in any field.</summary>
    public required bool Disagrees { get; init; }
}

/// <summary>A batch of questions to the judge, open until it is answered.</summary>
sealed class JudgeBatchRow
{
    public required Guid BatchId { get; init; }
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }

    /// <summary>The questions as JSON, kept only while the batch is open.</summary>
    public string? Questions { get; set; }

    public required DateTime AskedAt { get; init; }
    public DateTime? JudgedAt { get; set; }
}

sealed class JudgementMap : IEntityTypeConfiguration<JudgementRow>
{
    public void Configure(EntityTypeBuilder<JudgementRow> builder)
    {
        builder.ToTable("judgement", table => table.HasCheckConstraint("ck_judgement_reason", "(recommendation IS NULL) = (reason IS NOT NULL) AND (recommendation IS NULL) = (sentiment IS NULL)"));
        builder.HasKey(x => new { x.AuditId, x.Attempt, x.CallKey });
        builder.Property(x => x.CallKey).HasMaxLength(200);
    }
}

sealed class JudgeBatchMap : IEntityTypeConfiguration<JudgeBatchRow>
{
    public void Configure(EntityTypeBuilder<JudgeBatchRow> builder)
    {
        builder.ToTable("judge_batch", table => table.HasCheckConstraint("ck_judge_batch_open", "(questions IS NULL) = (judged_at IS NOT NULL)"));
        builder.HasKey(x => x.BatchId);
        builder.Property(x => x.BatchId).ValueGeneratedNever();
        builder.HasIndex(x => new { x.AuditId, x.Attempt }).IsUnique();
    }
}

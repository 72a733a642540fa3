using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>The scores of one attempt under one version of the metrics, as published.</summary>
sealed class ScoreRow
{
    public required Guid ScoreId { get; init; }
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string MetricsVersion { get; init; }

    /// <summary>The batches it was computed over, as JSON, in order of id.</summary>
    public required string BatchIds { get; init; }

    /// <summary>The whole <see cref="AuditScored"/>.</summary>
    public required string Scores { get; init; }

    public required DateTime ScoredAt { get; init; }

    public AuditScored ToMessage() => JsonColumn.Read<AuditScored>(Scores, $"score {ScoreId} of audit {AuditId}");
}

sealed class ScoreMap : IEntityTypeConfiguration<ScoreRow>
{
    public void Configure(EntityTypeBuilder<ScoreRow> builder)
    {
        builder.ToTable("score");
        builder.HasKey(x => x.ScoreId);
        builder.Property(x => x.ScoreId).ValueGeneratedNever();
        builder.Property(x => x.MetricsVersion).HasMaxLength(40);
        builder.HasIndex(x => new { x.AuditId, x.Attempt, x.MetricsVersion }).IsUnique();
    }
}

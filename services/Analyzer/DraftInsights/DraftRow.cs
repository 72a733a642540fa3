using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.DraftInsights;

/// <summary>One layer of insights being drafted: a row, not a waiting request.</summary>
sealed class DraftRow
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required int Layer { get; init; }
    public required Guid ScoreId { get; init; }
    public required DateTime DeadlineAt { get; init; }
    public required bool AskInDoubtAgain { get; init; }

    /// <summary>The advisor's open batch; null once the layer is drafted.</summary>
    public Guid? OpenBatchId { get; set; }

    /// <summary>The judge's open batch, which the first layer waits for; null without one.</summary>
    public Guid? OpenJudgeBatchId { get; set; }

    /// <summary>1 for the first asking, 2 for what was rejected and asked again.</summary>
    public int Round { get; set; } = 1;

    /// <summary>The open batch's questions as JSON, kept only while it is open.</summary>
    public string? Questions { get; set; }

    /// <summary>Whether the advisor or the scores it speaks about are simulated.</summary>
    public required bool Simulated { get; set; }

    public long SpentMicroUsd { get; set; }

    /// <summary>The recommended actions as JSON; only of the summary.</summary>
    public string? Recommendations { get; set; }

    public required DateTime CreatedAt { get; init; }
    public DateTime? DraftedAt { get; set; }
    public int Version { get; set; }

    public bool IsDrafted => DraftedAt is not null;

    public IReadOnlyList<Question> ReadQuestions() =>
        Questions is { } json ? JsonColumn.Read<List<Question>>(json, $"the open questions of layer {Layer} of audit {AuditId}") : [];

    public IReadOnlyList<Recommendation> ReadRecommendations() =>
        Recommendations is { } json ? JsonColumn.Read<List<Recommendation>>(json, $"the recommended actions of audit {AuditId}") : [];

    public void Open(Guid batchId, int round, IReadOnlyList<Question> questions)
    {
        OpenBatchId = batchId;
        Round = round;
        Questions = JsonColumn.Write(questions);
        Version++;
    }

    /// <summary>All insights of the layer are settled.</summary>
    public void Settle(IReadOnlyList<Recommendation> recommendations, DateTime now)
    {
        OpenBatchId = null;
        Questions = null;
        Recommendations = JsonColumn.Write(recommendations);
        Version++;
        CloseWhenNothingIsOpen(now);
    }

    /// <summary>The layer is drafted once neither the advisor nor the judge is awaited.</summary>
    public void CloseWhenNothingIsOpen(DateTime now)
    {
        if (OpenBatchId is null && OpenJudgeBatchId is null)
            DraftedAt ??= now;
    }
}

sealed class DraftMap : IEntityTypeConfiguration<DraftRow>
{
    public void Configure(EntityTypeBuilder<DraftRow> builder)
    {
        builder.ToTable("draft", table =>
        {
            table.HasCheckConstraint("ck_draft_layer", "layer BETWEEN 1 AND 3");
            table.HasCheckConstraint("ck_draft_open", "(open_batch_id IS NULL AND open_judge_batch_id IS NULL) = (drafted_at IS NOT NULL) AND (open_batch_id IS NULL) = (questions IS NULL)");
            table.HasCheckConstraint("ck_draft_round", "round IN (1, 2)");
        });
        builder.HasKey(x => new { x.AuditId, x.Attempt, x.Layer });
        builder.Property(x => x.Version).IsConcurrencyToken();
        builder.HasIndex(x => x.OpenBatchId).IsUnique();
        builder.HasIndex(x => x.OpenJudgeBatchId).IsUnique();
        builder.Ignore(x => x.IsDrafted);
    }
}

/// <summary>One insight of one attempt, available or not.</summary>
sealed class InsightRow
{
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string InsightId { get; init; }
    public required int Layer { get; init; }
    public required string Theme { get; init; }
    public required bool Available { get; init; }

    /// <summary>The whole <see cref="Insight"/>.</summary>
    public required string Content { get; init; }

    public static InsightRow Of(Guid auditId, int attempt, Insight insight) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        InsightId = insight.InsightId,
        Layer = insight.Layer,
        Theme = insight.Theme,
        Available = insight.Available,
        Content = JsonColumn.Write(insight),
    };

    public Insight ReadContent() => JsonColumn.Read<Insight>(Content, $"insight {InsightId} of audit {AuditId}");
}

sealed class InsightMap : IEntityTypeConfiguration<InsightRow>
{
    public void Configure(EntityTypeBuilder<InsightRow> builder)
    {
        builder.ToTable("insight");
        builder.HasKey(x => new { x.AuditId, x.Attempt, x.InsightId });
        builder.Property(x => x.InsightId).HasMaxLength(20);
        builder.Property(x => x.Theme).HasMaxLength(60);
    }
}

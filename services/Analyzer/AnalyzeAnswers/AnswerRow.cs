using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>One panel answer: its text lives here and nowhere else. One row per call, whatever attempt or batch brought it.</summary>
sealed class AnswerRow
{
    public required Guid AuditId { get; init; }
    public required string CallKey { get; init; }

    /// <summary>The batch and attempt that brought the present outcome; an older attempt never overwrites a newer one.</summary>
    public required Guid BatchId { get; set; }

    public required int Attempt { get; set; }
    public required string Engine { get; set; }
    public required string EngineKind { get; set; }
    public required bool Simulated { get; set; }
    public required string QueryId { get; set; }
    public required string Query { get; set; }
    public required string Category { get; set; }
    public required bool Branded { get; set; }
    public required bool Control { get; set; }
    public required int Run { get; set; }

    /// <summary>One of <see cref="AnswerOutcomes"/>.</summary>
    public required string Outcome { get; set; }

    public string? Reason { get; set; }
    public required string RequestedModel { get; set; }
    public string? ServedModel { get; set; }
    public required string Surface { get; set; }
    public string? Text { get; set; }

    /// <summary>The ledger's hash of the text as delivered.</summary>
    public string? TextHash { get; set; }

    /// <summary>The sources the provider returned, as JSON.</summary>
    public required string Sources { get; set; }

    public bool? SearchUsed { get; set; }
    public int? ResponseTimeMs { get; set; }
    public int? InputTokens { get; set; }
    public int? OutputTokens { get; set; }
    public required long CostMicroUsd { get; set; }
    public required bool CacheHit { get; set; }
    public required bool Reused { get; set; }
    public required int PaidTries { get; set; }
    public DateTime? AnsweredAt { get; set; }

    /// <summary>Version of the rules that made <see cref="Reading"/>.</summary>
    public string? MatcherVersion { get; set; }

    /// <summary>What was read from the text, as JSON; null without a text.</summary>
    public string? Reading { get; set; }

    /// <summary>For the control query: whether the answer speaks of the fictitious brand as if it existed.</summary>
    public bool FictitiousMentioned { get; set; }

    public required DateTime StoredAt { get; set; }
    public int Version { get; set; }
}

sealed class AnswerMap : IEntityTypeConfiguration<AnswerRow>
{
    public void Configure(EntityTypeBuilder<AnswerRow> builder)
    {
        builder.ToTable("answer", table =>
        {
            table.HasCheckConstraint("ck_answer_outcome", "outcome IN ('valid', 'declined', 'refused', 'empty', 'inDoubt')");
            table.HasCheckConstraint("ck_answer_valid", "outcome <> 'valid' OR (text IS NOT NULL AND text_hash IS NOT NULL AND reading IS NOT NULL AND matcher_version IS NOT NULL)");
            table.HasCheckConstraint("ck_answer_reason", "outcome = 'valid' OR reason IS NOT NULL");
        });
        builder.HasKey(x => new { x.AuditId, x.CallKey });
        builder.Property(x => x.CallKey).HasMaxLength(200);
        builder.Property(x => x.Engine).HasMaxLength(200);
        builder.Property(x => x.EngineKind).HasMaxLength(40);
        builder.Property(x => x.QueryId).HasMaxLength(40);
        builder.Property(x => x.Category).HasMaxLength(40);
        builder.Property(x => x.Outcome).HasMaxLength(20);
        builder.Property(x => x.MatcherVersion).HasMaxLength(40);
        builder.Property(x => x.Version).IsConcurrencyToken();
        builder.HasIndex(x => x.BatchId);
    }
}

/// <summary>How a planned call ended, from the analyser's view.</summary>
static class AnswerOutcomes
{
    public const string Valid = "valid";
    public const string Declined = "declined";
    public const string Refused = "refused";
    public const string Empty = "empty";
    public const string InDoubt = "inDoubt";
}

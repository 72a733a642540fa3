using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>A batch that is stored and read: a second delivery finds it and publishes the same result again.</summary>
sealed class AnalyzedBatchRow
{
    public required Guid BatchId { get; init; }
    public required Guid AuditId { get; init; }
    public required int Attempt { get; init; }
    public required string Engine { get; init; }
    public required string EngineKind { get; init; }
    public required bool Simulated { get; init; }

    /// <summary>The keys of the batch's calls, as JSON, in the order they were asked.</summary>
    public required string CallKeys { get; init; }

    /// <summary>The <see cref="CoverageCounts"/> as published, as JSON.</summary>
    public required string Coverage { get; init; }

    public required long SpentMicroUsd { get; init; }
    public required DateTime AnalyzedAt { get; init; }

    public IReadOnlyList<string> ReadCallKeys() => JsonColumn.Read<List<string>>(CallKeys, $"the call keys of batch {BatchId}");

    public AnswersAnalyzed ToMessage() => new()
    {
        AuditId = AuditId,
        Attempt = Attempt,
        BatchId = BatchId,
        Engine = Engine,
        Coverage = JsonColumn.Read<CoverageCounts>(Coverage, $"the coverage of batch {BatchId}"),
        SpentMicroUsd = SpentMicroUsd,
    };
}

sealed class AnalyzedBatchMap : IEntityTypeConfiguration<AnalyzedBatchRow>
{
    public void Configure(EntityTypeBuilder<AnalyzedBatchRow> builder)
    {
        builder.ToTable("analyzed_batch");
        builder.HasKey(x => x.BatchId);
        builder.Property(x => x.BatchId).ValueGeneratedNever();
        builder.Property(x => x.Engine).HasMaxLength(200);
        builder.Property(x => x.EngineKind).HasMaxLength(40);
        builder.HasIndex(x => x.AuditId);
    }
}

using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.DraftInsights;
using Assay.Analyzer.JudgeAnswers;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.ScoreAudit;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.Database;

/// <summary>The Analyzer's tables: who is looked for, what is asked, what was answered and how it reads, scores and insights.</summary>
public class AnalyzerDbContext(DbContextOptions options) : AssayDbContext(options)
{
    internal DbSet<SubjectRow> Subjects => Set<SubjectRow>();
    internal DbSet<PlanRow> Plans => Set<PlanRow>();
    internal DbSet<AnswerRow> Answers => Set<AnswerRow>();
    internal DbSet<AnalyzedBatchRow> AnalyzedBatches => Set<AnalyzedBatchRow>();
    internal DbSet<ScoreRow> Scores => Set<ScoreRow>();
    internal DbSet<DraftRow> Drafts => Set<DraftRow>();
    internal DbSet<InsightRow> Insights => Set<InsightRow>();
    internal DbSet<JudgeBatchRow> JudgeBatches => Set<JudgeBatchRow>();
    internal DbSet<JudgementRow> Judgements => Set<JudgementRow>();

    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfiguration(new SubjectMap());
        modelBuilder.ApplyConfiguration(new PlanMap());
        modelBuilder.ApplyConfiguration(new AnswerMap());
        modelBuilder.ApplyConfiguration(new AnalyzedBatchMap());
        modelBuilder.ApplyConfiguration(new ScoreMap());
        modelBuilder.ApplyConfiguration(new DraftMap());
        modelBuilder.ApplyConfiguration(new InsightMap());
        modelBuilder.ApplyConfiguration(new JudgeBatchMap());
        modelBuilder.ApplyConfiguration(new JudgementMap());
    }
}

/// <summary>Carries the PostgreSQL migrations.</summary>
public sealed class PostgreSqlAnalyzerDbContext(DbContextOptions<PostgreSqlAnalyzerDbContext> options) : AnalyzerDbContext(options);

/// <summary>Carries the SQLite migrations.</summary>
public sealed class SqliteAnalyzerDbContext(DbContextOptions<SqliteAnalyzerDbContext> options) : AnalyzerDbContext(options);

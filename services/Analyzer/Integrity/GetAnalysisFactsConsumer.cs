using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.Integrity;

/// <summary>Shows what is held of a page of audits to whoever compares the services.</summary>
sealed class GetAnalysisFactsConsumer(AnalyzerDbContext db) : IConsumer<GetAnalysisFacts>
{
    public async Task Consume(ConsumeContext<GetAnalysisFacts> context)
    {
        var (asked, after) = (context.Message.AuditIds, context.Message.After ?? Guid.Empty);
        var limit = Math.Clamp(context.Message.Limit, 1, CheckIntegrity.MaxPageSize);
        var subjects = db.Subjects.AsNoTracking();
        subjects = asked is null ? subjects.Where(subject => subject.AuditId > after) : subjects.Where(subject => asked.Contains(subject.AuditId));
        var ids = await subjects.OrderBy(subject => subject.AuditId).Take(limit).Select(subject => subject.AuditId).ToArrayAsync(context.CancellationToken);
        var batches = await db.AnalyzedBatches.AsNoTracking().Where(batch => ids.Contains(batch.AuditId))
            .Select(batch => new { batch.AuditId, batch.BatchId }).ToArrayAsync(context.CancellationToken);
        var scores = await db.Scores.AsNoTracking().Where(score => ids.Contains(score.AuditId))
            .Select(score => new { score.AuditId, score.ScoreId }).ToArrayAsync(context.CancellationToken);
        var answers = await db.Answers.AsNoTracking().Where(answer => ids.Contains(answer.AuditId))
            .GroupBy(answer => answer.AuditId).Select(group => new { AuditId = group.Key, Count = group.Count() })
            .ToDictionaryAsync(group => group.AuditId, group => group.Count, context.CancellationToken);
        var batchesOf = batches.ToLookup(batch => batch.AuditId, batch => batch.BatchId);
        var scoresOf = scores.ToLookup(score => score.AuditId, score => score.ScoreId);
        await context.RespondAsync(new AnalysisFacts
        {
            Audits = [.. ids.Select(id => new AnalysisFact { AuditId = id, BatchIds = [.. batchesOf[id]], Answers = answers.GetValueOrDefault(id), ScoreIds = [.. scoresOf[id]] })],
        });
    }
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetAnalysisFactsConsumerDefinition : ConsumerDefinition<GetAnalysisFactsConsumer>;

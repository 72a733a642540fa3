using Assay.Analyzer.Database;
using Assay.Analyzer.Score.Metrics;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Command = Assay.Contracts.Internal.Analyzer.ScoreAudit;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>Scores an attempt once; a second command gets the same scores again.</summary>
sealed class ScoreAuditConsumer(AnalyzerDbContext db, TimeProvider time) : IConsumer<Command>
{
    public async Task Consume(ConsumeContext<Command> context)
    {
        var message = context.Message;
        var score = await db.Scores.SingleOrDefaultAsync(x => x.AuditId == message.AuditId && x.Attempt == message.Attempt && x.MetricsVersion == Metric.Version, context.CancellationToken);
        if (score is null)
        {
            var answers = await PanelReader.ReadAsync(db, message.AuditId, message.BatchIds, context.CancellationToken);
            var scored = ScoreCalculation.Calculate(message.AuditId, message.Attempt, NewId.NextSequentialGuid(), answers, time.GetUtcNow().UtcDateTime);
            score = new ScoreRow
            {
                ScoreId = scored.ScoreId,
                AuditId = message.AuditId,
                Attempt = message.Attempt,
                MetricsVersion = scored.MetricsVersion,
                BatchIds = JsonColumn.Write(message.BatchIds.Order()),
                Scores = JsonColumn.Write(scored),
                ScoredAt = scored.ScoredAt,
            };
            db.Scores.Add(score);
        }

        await context.Publish(score.ToMessage());
    }
}

sealed class ScoreAuditConsumerDefinition : AssayConsumerDefinition<ScoreAuditConsumer, AnalyzerDbContext>
{
    // Scoring is work for the processor alone: more at once than there are processors would only keep transactions open longer.
    public ScoreAuditConsumerDefinition() => ConcurrentMessageLimit = Environment.ProcessorCount;
}

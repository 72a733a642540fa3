using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.Score.Metrics;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Command = Assay.Contracts.Internal.Analyzer.ScoreAudit;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>Scores an attempt once; a second command gets the same scores again.</summary>
sealed partial class ScoreAuditConsumer(AnalyzerDbContext db, ReadingMemory readings, TimeProvider time, ILogger<ScoreAuditConsumer> logger) : IConsumer<Command>
{
    public async Task Consume(ConsumeContext<Command> context)
    {
        var message = context.Message;
        var score = await db.Scores.SingleOrDefaultAsync(x => x.AuditId == message.AuditId && x.Attempt == message.Attempt && x.MetricsVersion == Metric.Version, context.CancellationToken);
        if (score is null)
        {
            var answers = await PanelReader.ReadAsync(db, readings, message.AuditId, message.BatchIds, context.CancellationToken);
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
            Scored(logger, message.AuditId, message.Attempt, answers.Count, score.ScoreId);
        }

        await context.Publish(score.ToMessage());
    }

    [LoggerMessage(LogLevel.Information, "Scored audit {AuditId}, attempt {Attempt}, from {Answers} answers: score {ScoreId}")]
    static partial void Scored(ILogger logger, Guid auditId, int attempt, int answers, Guid scoreId);
}

sealed class ScoreAuditConsumerDefinition : AssayConsumerDefinition<ScoreAuditConsumer, AnalyzerDbContext>
{
    // Scoring is work for the processor alone: more at once than there are processors would only keep transactions open longer.
    public ScoreAuditConsumerDefinition() => ConcurrentMessageLimit = Environment.ProcessorCount;
}

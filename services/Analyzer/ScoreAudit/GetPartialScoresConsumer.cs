using Assay.Analyzer.Database;
using Assay.Contracts.Internal.Analyzer;
using MassTransit;

namespace Assay.Analyzer.ScoreAudit;

/// <summary>Scores what was answered of an audit that failed or was cancelled before its scoring. Only reads: late answers count the next time it is asked.</summary>
sealed class GetPartialScoresConsumer(AnalyzerDbContext db, TimeProvider time) : IConsumer<GetPartialScores>
{
    public async Task Consume(ConsumeContext<GetPartialScores> context)
    {
        var panel = await ScoredPanel.ReadPartialAsync(db, context.Message.AuditId, time.GetUtcNow().UtcDateTime, context.CancellationToken);
        await context.RespondAsync(new PartialScores { AuditId = context.Message.AuditId, Scored = panel?.Scored });
    }
}

sealed class GetPartialScoresConsumerDefinition : ConsumerDefinition<GetPartialScoresConsumer>;

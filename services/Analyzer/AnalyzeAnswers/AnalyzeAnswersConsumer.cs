using Assay.Analyzer.Database;
using Assay.Analyzer.DraftInsights;
using Assay.Analyzer.JudgeAnswers;
using Assay.Analyzer.PlanQueries;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Assay.Analyzer.AnalyzeAnswers;

/// <summary>
/// Takes every batch the gateway decides, on one queue so that texts travel once. Panel answers are stored, read and counted;
/// plans, insights and judgements go to the row that waits for the batch. A batch nobody waits for any more is logged and dropped.
/// </summary>
sealed partial class AnalyzeAnswersConsumer(AnalyzerDbContext db, EvidenceReader evidences, ReadingMemory readings, TimeProvider time, ILogger<AnalyzeAnswersConsumer> logger) : IConsumer<EngineAnswered>
{
    public async Task Consume(ConsumeContext<EngineAnswered> context)
    {
        var message = context.Message;
        var now = time.GetUtcNow().UtcDateTime;
        switch (message.Purpose)
        {
            case Purposes.Answer:
                var batch = await AnswerBatch.AnalyzeAsync(db, message, context.TryGetPayload<AnswersRead>(out var read) ? read : null, now, context.CancellationToken);
                if (batch.Readings.Count > 0)
                    readings.Remember(message.BatchId, batch.Readings);
                await context.Publish(batch.Analyzed);
                await context.Publish(batch.Described);
                await context.Publish(batch.Stored);
                break;

            case Purposes.Plan when await PlanAnswer.SettleAsync(db, message, now, context.CancellationToken) is { } planned:
                await context.Publish(planned);
                break;

            case Purposes.Insight when await InsightAnswers.SettleAsync(db, evidences, message, now, context.CancellationToken) is { Known: true } settled:
                if (settled.Next is { } next)
                    await context.Publish(next, next.GetType());
                break;

            case Purposes.Judge when await Judging.SettleAsync(db, evidences, message, now, context.CancellationToken) is { } opinion:
                await context.Publish(opinion.Judged);
                opinion.Draft.CloseWhenNothingIsOpen(now);
                if (opinion.Draft.IsDrafted)
                    await context.Publish(DraftInsightsConsumer.Drafted(opinion.Draft, await DraftInsightsConsumer.InsightsOfAsync(db, opinion.Draft, context.CancellationToken)));
                break;

            default:
                NobodyWaits(logger, message.Purpose, message.BatchId, message.AuditId, message.Attempt);
                break;
        }
    }

    [LoggerMessage(LogLevel.Information, "Dropped {Purpose} batch {BatchId} of audit {AuditId}, attempt {Attempt}: nothing waits for it any more")]
    static partial void NobodyWaits(ILogger logger, string purpose, Guid batchId, Guid auditId, int attempt);
}

sealed class AnalyzeAnswersConsumerDefinition : AssayConsumerDefinition<AnalyzeAnswersConsumer, AnalyzerDbContext>
{
    // A batch holds a connection while its rows are written. On a busy machine twice as many batches as connections would wait for one for longer than the pool lets them.
    public AnalyzeAnswersConsumerDefinition() => ConcurrentMessageLimit = AssayDatabaseOptionsExtensions.MostConnections / 2;

    protected override IConsumerConfigurationObserver BeforeTransaction(IRegistrationContext context) =>
        new FilterAtItsPlace<EngineAnswered>(new ReadBeforeTransaction(context.GetRequiredService<IServiceScopeFactory>(), context.GetRequiredService<ReaderMemory>()));
}

using Assay.LlmGateway.Database;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.AnswersStored;

namespace Assay.LlmGateway.AnswersStored;

/// <summary>The Analyzer holds a batch's answers: the ledger lets their texts and sources go and keeps the hashes.</summary>
sealed class AnswersStoredConsumer(LlmGatewayDbContext database, TimeProvider time) : IConsumer<Message>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        var session = new LedgerSession(database, time);
        var now = await session.NowAsync(cancellationToken);
        // A call that another open batch still waits for keeps its text until that one is stored too.
        await session.ExecuteAsync(
            new Statement("""
                UPDATE paid_call SET text = NULL, sources_json = NULL
                WHERE call_key IN (SELECT call_key FROM batch_call WHERE batch_id = $1) AND text IS NOT NULL
                  AND call_key NOT IN (
                      SELECT batch_call.call_key FROM batch JOIN batch_call ON batch_call.batch_id = batch.batch_id
                      WHERE batch.audit_id = (SELECT audit_id FROM batch WHERE batch_id = $1) AND batch.batch_id <> $1 AND batch.stored_at IS NULL)
                """).With(message.BatchId), cancellationToken);
        await session.ExecuteAsync(new Statement("UPDATE batch SET stored_at = $2 WHERE batch_id = $1 AND stored_at IS NULL").With(message.BatchId).With(now), cancellationToken);
    }
}

sealed class AnswersStoredConsumerDefinition : AssayConsumerDefinition<AnswersStoredConsumer, LlmGatewayDbContext>;

using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Logging;
using Message = Assay.Contracts.Internal.Analyzer.AnswersErased;

namespace Assay.LlmGateway.AnswersErased;

/// <summary>
/// An audit was deleted: the ledger lets go what was asked and answered, and keeps hashes and amounts. The outcome of a call that is still on
/// the wire brings its money and no text any more.
/// </summary>
sealed partial class AnswersErasedConsumer(LlmGatewayDbContext database, TimeProvider time, ILogger<AnswersErasedConsumer> logger) : IConsumer<Message>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var (auditId, cancellationToken) = (context.Message.AuditId, context.CancellationToken);
        var session = new LedgerSession(database, time);
        await session.LockBudgetsAsync([auditId], share: false, cancellationToken);
        var erased = await session.ExecuteAsync(CallStatements.Erase(auditId), cancellationToken);
        if (erased > 0)
            Erased(logger, auditId, erased);
    }

    [LoggerMessage(LogLevel.Information, "Erased the texts of {Calls} calls of audit {AuditId}, which was deleted")]
    static partial void Erased(ILogger logger, Guid auditId, int calls);
}

sealed class AnswersErasedConsumerDefinition : AssayConsumerDefinition<AnswersErasedConsumer, LlmGatewayDbContext>;

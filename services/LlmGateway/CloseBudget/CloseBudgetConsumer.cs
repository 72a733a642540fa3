using Assay.LlmGateway.Database;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Logging;
using Message = Assay.Contracts.Internal.LlmGateway.CloseBudget;

namespace Assay.LlmGateway.CloseBudget;

/// <summary>Ends an attempt's spending. Twice, late or before its OpenBudget: the fence stands all the same.</summary>
sealed partial class CloseBudgetConsumer(LlmGatewayDbContext database, LedgerSignals signals, TimeProvider time, ILogger<CloseBudgetConsumer> logger) : IConsumer<Message>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        var session = new LedgerSession(database, time);
        var announce = new AnnounceByConsumer(context);
        if (await session.CloseBudgetAsync(announce, message.AuditId, message.Attempt, cancellationToken))
            Closed(logger, message.AuditId, message.Attempt, message.Reason);
        await session.ReportBudgetAsync(announce, message.AuditId, cancellationToken);
        database.Committed += signals.WakeSweep;
    }

    [LoggerMessage(LogLevel.Information, "Closed the budget of audit {AuditId}, attempt {Attempt}: {Reason}. Nothing more is sent for it")]
    static partial void Closed(ILogger logger, Guid auditId, int attempt, string reason);
}

sealed class CloseBudgetConsumerDefinition : AssayConsumerDefinition<CloseBudgetConsumer, LlmGatewayDbContext>;

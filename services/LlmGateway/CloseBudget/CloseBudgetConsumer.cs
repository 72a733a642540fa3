using Assay.LlmGateway.Database;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.CloseBudget;

namespace Assay.LlmGateway.CloseBudget;

/// <summary>Ends an attempt's spending. Twice, late or before its OpenBudget: the fence stands all the same.</summary>
sealed class CloseBudgetConsumer(LlmGatewayDbContext database, LedgerSignals signals, TimeProvider time) : IConsumer<Message>
{
    public async Task Consume(ConsumeContext<Message> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        var session = new LedgerSession(database, time);
        var announce = new AnnounceByConsumer(context);
        await session.CloseBudgetAsync(announce, message.AuditId, message.Attempt, cancellationToken);
        await session.ReportBudgetAsync(announce, message.AuditId, cancellationToken);
        database.Committed += signals.WakeSweep;
    }
}

sealed class CloseBudgetConsumerDefinition : AssayConsumerDefinition<CloseBudgetConsumer, LlmGatewayDbContext>;

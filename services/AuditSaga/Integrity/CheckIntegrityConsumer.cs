using Assay.Contracts.Internal.AuditSaga;
using MassTransit;

namespace Assay.AuditSaga.Integrity;

/// <summary>Compares a page for a person who asks.</summary>
sealed class CheckIntegrityConsumer(IntegrityComparison comparison) : IConsumer<CheckIntegrity>
{
    public async Task Consume(ConsumeContext<CheckIntegrity> context) =>
        await context.RespondAsync(await comparison.CompareAsync(context.Message.Cursor, context.Message.PageSize, context.Message.Repair, context.CancellationToken));
}

/// <summary>Asked again it compares again; whoever asked has given up waiting before a redelivery.</summary>
sealed class CheckIntegrityConsumerDefinition : ConsumerDefinition<CheckIntegrityConsumer>;

using Assay.AuditSaga.DeadlineWatch;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit;

namespace Assay.AuditSaga.RestoredLedger;

/// <summary>Fails what is live, each audit in a transaction of its own: the ledger no longer knows what they have paid.</summary>
sealed class FailLiveAuditsConsumer(IServiceScopeFactory scopes) : IConsumer<FailLiveAudits>
{
    public async Task Consume(ConsumeContext<FailLiveAudits> context)
    {
        IReadOnlyList<WatchedAudit> live;
        await using (var scope = scopes.CreateAsyncScope())
            live = await scope.ServiceProvider.GetRequiredService<OverdueAudits>().FindLiveAsync(context.CancellationToken);
        List<Guid> failed = [];
        foreach (var audit in live)
        {
            await using var scope = scopes.CreateAsyncScope();
            if (await scope.ServiceProvider.GetRequiredService<OverdueAudits>().EndRestoredAsync(audit, context.Message.Detail, context.CancellationToken) is not null)
                failed.Add(audit.AuditId);
        }

        await context.RespondAsync(new LiveAuditsFailed { AuditIds = failed });
    }
}

/// <summary>No inbox: ended audits are not live, so that doing it twice does it once.</summary>
sealed class FailLiveAuditsConsumerDefinition : ConsumerDefinition<FailLiveAuditsConsumer>;

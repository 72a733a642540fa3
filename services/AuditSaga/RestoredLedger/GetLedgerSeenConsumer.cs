using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.Contracts.Internal.AuditSaga;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.RestoredLedger;

/// <summary>Tells a gateway that starts how far its ledger had been: a ledger that is behind was restored to an earlier point.</summary>
sealed class GetLedgerSeenConsumer(AuditSagaDbContext database) : IConsumer<GetLedgerSeen>
{
    const int Most = 1000;
    const int MostRecent = 200;

    public async Task Consume(ConsumeContext<GetLedgerSeen> context)
    {
        var (known, cancellationToken) = (context.Message.LedgerSequence, context.CancellationToken);
        var audits = database.Audits.AsNoTracking().Where(audit => audit.LedgerSequence > 0);
        var suspects = await Seen(audits.Where(audit => AuditPhases.Live.Contains(audit.CurrentState) || audit.LedgerSequence > known).OrderByDescending(audit => audit.LedgerSequence).Take(Most)).ToListAsync(cancellationToken);
        var recent = await Seen(audits.OrderByDescending(audit => audit.LastProgressAt).Take(MostRecent)).ToListAsync(cancellationToken);
        await context.RespondAsync(new LedgerSeen
        {
            HighestSequence = await audits.MaxAsync(audit => (long?)audit.LedgerSequence, cancellationToken) ?? 0,
            Audits = [.. suspects.Concat(recent).DistinctBy(audit => audit.AuditId)],
        });
    }

    static IQueryable<SeenBudget> Seen(IQueryable<AuditState> audits) => audits.Select(audit => new SeenBudget
    {
        AuditId = audit.CorrelationId,
        Attempt = audit.Attempt,
        State = audit.CurrentState,
        Live = AuditPhases.Live.Contains(audit.CurrentState),
        LedgerSequence = audit.LedgerSequence,
        ReportVersion = audit.ReportVersion,
        SpentMicroUsd = audit.ReportedMicroUsd,
        LastProgressAt = audit.LastProgressAt,
    });
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetLedgerSeenConsumerDefinition : ConsumerDefinition<GetLedgerSeenConsumer>;

using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Database;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Integrity;

/// <summary>Shows what is shown of a page of audits to whoever compares the services.</summary>
sealed class GetReadModelFactsConsumer(DashboardDbContext db) : IConsumer<GetReadModelFacts>
{
    const string Deleted = "Deleted";

    public async Task Consume(ConsumeContext<GetReadModelFacts> context)
    {
        var (asked, after) = (context.Message.AuditIds, context.Message.After ?? Guid.Empty);
        var limit = Math.Clamp(context.Message.Limit, 1, CheckIntegrity.MaxPageSize);
        // What is to be told anew counts as missing; so does an ended audit of which only the end was heard, by a read model that was lost before.
        var rows = db.Audits.AsNoTracking().Where(row => !db.Rebuilds.Any(wanted => wanted.AuditId == row.AuditId) && (row.RegisteredAt != null || !ReadStates.Ended.Contains(row.Status)));
        rows = asked is null ? rows.Where(row => row.AuditId > after) : rows.Where(row => asked.Contains(row.AuditId));
        var shown = await rows.OrderBy(row => row.AuditId).Take(limit)
            .Select(row => new ReadModelFact
            {
                AuditId = row.AuditId, Attempt = row.Attempt, Status = row.Status, FailureReason = row.FailureReason, SpentMicroUsd = row.SpentMicroUsd, ScoreId = row.ScoreId,
                Answers = db.Answers.Count(answer => answer.AuditId == row.AuditId), Deleted = false,
            })
            .ToListAsync(context.CancellationToken);
        var missing = asked?.Except(shown.Select(row => row.AuditId)).ToArray() ?? [];
        var deleted = missing.Length == 0 ? [] : await db.DeletedAudits.AsNoTracking().Where(gone => missing.Contains(gone.AuditId)).Select(gone => gone.AuditId).ToArrayAsync(context.CancellationToken);
        await context.RespondAsync(new ReadModelFacts
        {
            Audits = [.. shown, .. deleted.Select(id => new ReadModelFact { AuditId = id, Attempt = 0, Status = Deleted, SpentMicroUsd = 0, Answers = 0, Deleted = true })],
        });
    }
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetReadModelFactsConsumerDefinition : ConsumerDefinition<GetReadModelFactsConsumer>;

using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Dashboard.Database;
using Assay.Dashboard.Projections;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Integrity;

/// <summary>Puts what the saga knows of an ended audit in place of what is shown, and has the Analyzer tell its part again if that differs too.</summary>
sealed partial class RepairReadModelConsumer(DashboardDbContext db, TimeProvider time, ILogger<RepairReadModelConsumer> logger) : IConsumer<RepairReadModel>
{
    public async Task Consume(ConsumeContext<RepairReadModel> context)
    {
        var message = context.Message;
        var (auditId, cancellationToken) = (message.AuditId, context.CancellationToken);
        var row = await db.LockAuditAsync(auditId, time.GetUtcNow().UtcDateTime, cancellationToken);
        // It was deleted, or a newer attempt has begun since the comparison and its own messages tell the truth.
        if (row is null || (row.Attempt > message.Attempt && row.IsLive))
            return;
        row.Restore(message);
        var known = await db.Transitions.Where(step => step.AuditId == auditId).Select(step => step.Sequence).ToArrayAsync(cancellationToken);
        db.Transitions.AddRange(message.Transitions.Where(step => !known.Contains(step.Sequence)).Select(step => new TransitionRow
        {
            AuditId = auditId, Sequence = step.Sequence, Attempt = step.Attempt, FromState = step.From, ToState = step.To, Trigger = step.Trigger, Worker = step.Worker, At = step.At, ElapsedMs = step.ElapsedMs,
        }));
        if (message.Pieces)
        {
            await db.Answers.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
            await db.Batches.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
            await db.Scores.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
            await db.InsightLayers.Where(x => x.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);
            row.ScoreAttempt = 0;
            row.ScoreId = null;
            await context.Publish(new DescribeAgain { AuditId = auditId, Attempt = message.Attempt }, cancellationToken);
        }

        Repaired(logger, auditId, message.Attempt, row.Status, message.Pieces);
    }

    [LoggerMessage(LogLevel.Warning, "What is shown of audit {AuditId}, attempt {Attempt}, differed from the saga and is put right: {Status}; answers, score and insights anew: {Pieces}")]
    static partial void Repaired(ILogger logger, Guid auditId, int attempt, string status, bool pieces);
}

sealed class RepairReadModelConsumerDefinition : AssayConsumerDefinition<RepairReadModelConsumer, DashboardDbContext>;

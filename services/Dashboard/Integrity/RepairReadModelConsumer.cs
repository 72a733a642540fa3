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
        var ended = await db.AttemptEnds.Where(end => end.AuditId == auditId).Select(end => end.Attempt).ToArrayAsync(cancellationToken);
        AttemptEndRow?[] ends = [EndOf(message), .. message.EarlierEnds.Select(end => AttemptEndRow.Of(auditId, end))];
        db.AttemptEnds.AddRange(ends.OfType<AttemptEndRow>().Where(end => !ended.Contains(end.Attempt)));
        if (message.Completed is not null)
            await RestoreReportAsync(row, message, cancellationToken);
        var isRebuilt = await db.Rebuilds.Where(wanted => wanted.AuditId == auditId).ExecuteDeleteAsync(cancellationToken) > 0;
        if (message.Pieces && isRebuilt)
        {
            // What is told again takes the place of this; what cannot be told any more stays.
            await db.Answers.Where(x => x.AuditId == auditId).ExecuteUpdateAsync(set => set.SetProperty(x => x.Attempt, 0), cancellationToken);
            await db.InsightLayers.Where(x => x.AuditId == auditId).ExecuteUpdateAsync(set => set.SetProperty(x => x.Attempt, 0), cancellationToken);
            await db.Scores.Where(x => x.AuditId == auditId).ExecuteUpdateAsync(set => set.SetProperty(x => x.Attempt, 0), cancellationToken);
            await db.Judgements.Where(x => x.AuditId == auditId).ExecuteUpdateAsync(set => set.SetProperty(x => x.Attempt, 0), cancellationToken);
            row.ScoreAttempt = 0;
            await context.Publish(new DescribeAgain { AuditId = auditId, Attempt = message.Attempt }, cancellationToken);
        }
        else if (message.Pieces)
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

    /// <summary>A completed audit had a whole report. Its manifest, where it is kept, says once more when all pieces are here; else the saga's word counts.</summary>
    async Task RestoreReportAsync(AuditRow row, RepairReadModel message, CancellationToken cancellationToken)
    {
        var manifest = await db.Manifests.SingleOrDefaultAsync(known => known.AuditId == row.AuditId && known.Attempt == message.Attempt, cancellationToken);
        if (manifest is null || !message.Pieces)
        {
            row.ReportAttempt = message.Attempt;
            return;
        }

        manifest.PublishedAt = null;
        row.ReportAttempt = 0;
    }

    static AttemptEndRow? EndOf(RepairReadModel message) => message switch
    {
        { Completed: { } end } => AttemptEndRow.Of(end),
        { Failed: { } end } => AttemptEndRow.Of(end),
        { Cancelled: { } end } => AttemptEndRow.Of(end),
        _ => null,
    };

    [LoggerMessage(LogLevel.Warning, "What is shown of audit {AuditId}, attempt {Attempt}, differed from the saga and is put right: {Status}; answers, score and insights anew: {Pieces}")]
    static partial void Repaired(ILogger logger, Guid auditId, int attempt, string status, bool pieces);
}

sealed class RepairReadModelConsumerDefinition : AssayConsumerDefinition<RepairReadModelConsumer, DashboardDbContext>;

using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.DraftInsights;
using Assay.Analyzer.JudgeAnswers;
using Assay.Analyzer.PlanQueries;
using Assay.Contracts.Internal.Analyzer;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.Integrity;

/// <summary>Tells again what is stored, in the order in which it came; whoever knows it already ignores it.</summary>
sealed class DescribeAgainConsumer(AnalyzerDbContext db) : IConsumer<DescribeAgain>
{
    public async Task Consume(ConsumeContext<DescribeAgain> context)
    {
        var auditId = context.Message.AuditId;
        var plan = await db.Plans.AsNoTracking().SingleOrDefaultAsync(plan => plan.AuditId == auditId, context.CancellationToken);
        if (plan is { IsPlanned: true } && await db.Subjects.AsNoTracking().SingleOrDefaultAsync(subject => subject.AuditId == auditId, context.CancellationToken) is { } subject)
        {
            var request = subject.ReadRequest();
            await context.Publish(plan.ToMessage(plan.Attempt, request, TrackedBrands.Of(request)), context.CancellationToken);
        }

        foreach (var batch in await db.AnalyzedBatches.AsNoTracking().Where(batch => batch.AuditId == auditId).OrderBy(batch => batch.AnalyzedAt).ToArrayAsync(context.CancellationToken))
            await context.Publish(await AnswerBatch.DescribedAsync(db, batch, context.CancellationToken), context.CancellationToken);
        foreach (var score in await db.Scores.AsNoTracking().Where(score => score.AuditId == auditId).OrderBy(score => score.Attempt).ToArrayAsync(context.CancellationToken))
            await context.Publish(score.ToMessage(), context.CancellationToken);
        foreach (var draft in await db.Drafts.AsNoTracking().Where(draft => draft.AuditId == auditId).OrderBy(draft => draft.Attempt).ThenBy(draft => draft.Layer).ToArrayAsync(context.CancellationToken))
            if (draft.IsDrafted)
                await context.Publish(DraftInsightsConsumer.Drafted(draft, await DraftInsightsConsumer.InsightsOfAsync(db, draft, context.CancellationToken)), context.CancellationToken);
        foreach (var judged in await Judging.ToldAgainAsync(db, auditId, context.CancellationToken))
            await context.Publish(judged, context.CancellationToken);
    }
}

sealed class DescribeAgainConsumerDefinition : AssayConsumerDefinition<DescribeAgainConsumer, AnalyzerDbContext>;

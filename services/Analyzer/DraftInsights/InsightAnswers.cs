using Assay.Analyzer.Database;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.DraftInsights;

/// <summary>What the advisor's answers make of an open layer.</summary>
static class InsightAnswers
{
    /// <summary>
    /// Settles what the batch answers, and returns what to publish: the drafted layer, or one more batch for what was rejected.
    /// Nothing if the judge is still awaited, or if no layer waits for this batch.
    /// </summary>
    public static async Task<SettledBatch> SettleAsync(AnalyzerDbContext db, EvidenceReader evidences, EngineAnswered message, DateTime now, CancellationToken cancellationToken)
    {
        var draft = await db.Drafts.SingleOrDefaultAsync(x => x.OpenBatchId == message.BatchId, cancellationToken);
        if (draft is null)
            return new(Known: false, Next: null);
        var evidence = await evidences.ReadAsync(draft.AuditId, draft.ScoreId, cancellationToken);
        var below = await evidences.ReadBelowAsync(draft.AuditId, draft.Attempt, draft.Layer, cancellationToken);

        var progress = LayerDraft.Judge(draft.Layer, draft.Round, draft.ReadQuestions(), message.Answers, evidence, below);
        draft.SpentMicroUsd += message.Answers.Where(answer => !answer.Reused).Sum(answer => answer.CostMicroUsd);
        draft.Simulated |= message.Simulated;
        db.Insights.AddRange(progress.Settled.Select(insight => InsightRow.Of(draft.AuditId, draft.Attempt, insight)));
        if (progress.Again.Count > 0)
        {
            draft.Open(NewId.NextSequentialGuid(), round: 2, progress.Again);
            return new(Known: true, DraftInsightsConsumer.Ask(draft));
        }

        draft.Settle(draft.Layer == 3 ? RuleRecommendations.Complete(progress.Recommendations, evidence) : [], now);
        if (!draft.IsDrafted)
            return new(Known: true, Next: null);
        var earlier = await DraftInsightsConsumer.InsightsOfAsync(db, draft, cancellationToken);
        return new(Known: true, DraftInsightsConsumer.Drafted(draft, earlier.Concat(progress.Settled)));
    }
}

/// <summary>What a batch of the advisor leads to.</summary>
/// <param name="Known">Whether a layer waited for it.</param>
/// <param name="Next">What to publish; null while something else is awaited.</param>
sealed record SettledBatch(bool Known, object? Next);

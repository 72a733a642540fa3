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
    /// Null if no layer waits for this batch.
    /// </summary>
    public static async Task<object?> SettleAsync(AnalyzerDbContext db, EngineAnswered message, DateTime now, CancellationToken cancellationToken)
    {
        var draft = await db.Drafts.SingleOrDefaultAsync(x => x.OpenBatchId == message.BatchId, cancellationToken);
        if (draft is null)
            return null;
        var evidence = await EvidenceReader.ReadAsync(db, draft.AuditId, draft.ScoreId, cancellationToken);
        var below = await EvidenceReader.ReadBelowAsync(db, draft.AuditId, draft.Attempt, draft.Layer, cancellationToken);

        var progress = LayerDraft.Judge(draft.Layer, draft.Round, draft.ReadQuestions(), message.Answers, evidence, below);
        draft.SpentMicroUsd += message.Answers.Where(answer => !answer.Reused).Sum(answer => answer.CostMicroUsd);
        draft.Simulated |= message.Simulated;
        db.Insights.AddRange(progress.Settled.Select(insight => InsightRow.Of(draft.AuditId, draft.Attempt, insight)));
        if (progress.Again.Count > 0)
        {
            draft.Open(NewId.NextSequentialGuid(), round: 2, progress.Again);
            return DraftInsightsConsumer.Ask(draft);
        }

        draft.Close(draft.Layer == 3 ? RuleRecommendations.Complete(progress.Recommendations, evidence) : [], now);
        var earlier = await db.Insights.AsNoTracking().Where(x => x.AuditId == draft.AuditId && x.Attempt == draft.Attempt && x.Layer == draft.Layer).ToArrayAsync(cancellationToken);
        return DraftInsightsConsumer.Drafted(draft, earlier.Select(row => row.ReadContent()).Concat(progress.Settled));
    }
}

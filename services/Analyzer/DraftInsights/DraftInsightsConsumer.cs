using Assay.Analyzer.Advisor;
using Assay.Analyzer.Database;
using Assay.Analyzer.JudgeAnswers;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Command = Assay.Contracts.Internal.Analyzer.DraftInsights;

namespace Assay.Analyzer.DraftInsights;

/// <summary>
/// Opens one layer of insights, or publishes it again if it is drafted. Whatever is missing – advisor, money, findings below –
/// makes insights unavailable with the reason; it never fails the audit.
/// </summary>
sealed class DraftInsightsConsumer(AnalyzerDbContext db, EvidenceReader evidences, TimeProvider time, IOptions<JudgeOptions> judge) : IConsumer<Command>
{
    public async Task Consume(ConsumeContext<Command> context)
    {
        var message = context.Message;
        var cancellationToken = context.CancellationToken;
        var now = time.GetUtcNow().UtcDateTime;
        var draft = await db.Drafts.FindAsync([message.AuditId, message.Attempt, message.Layer], cancellationToken);
        if (draft is null)
        {
            var evidence = await evidences.ReadAsync(message.AuditId, message.ScoreId, cancellationToken);
            var below = await evidences.ReadBelowAsync(message.AuditId, message.Attempt, message.Layer, cancellationToken);
            draft = new DraftRow
            {
                AuditId = message.AuditId,
                Attempt = message.Attempt,
                Layer = message.Layer,
                ScoreId = message.ScoreId,
                DeadlineAt = message.DeadlineAt,
                AskInDoubtAgain = message.AskInDoubtAgain,
                Simulated = evidence.Scores.Simulated,
                CreatedAt = now,
            };
            db.Drafts.Add(draft);
            if (WhyUnavailable(message, evidence, below) is { } reason)
            {
                var unavailable = LayerDraft.Unavailable(message.Layer, reason);
                db.Insights.AddRange(unavailable.Select(insight => InsightRow.Of(message.AuditId, message.Attempt, insight)));
                draft.Settle(message.Layer == 3 ? RuleRecommendations.Complete([], evidence) : [], now);
                await context.Publish(Drafted(draft, unavailable));
                return;
            }

            draft.Open(NewId.NextSequentialGuid(), round: 1, LayerDraft.FirstQuestions(message.Layer, evidence, below));
            if (judge.Value.Enabled && message.Layer == 1 && await Judging.OpenAsync(db, draft, evidence, judge.Value, now, cancellationToken) is { } opinion)
                await context.Publish(opinion);
        }
        else if (await Judging.AgainAsync(db, draft, cancellationToken) is { } opinion)
            await context.Publish(opinion);

        if (draft.IsDrafted)
            await context.Publish(Drafted(draft, await InsightsOfAsync(db, draft, cancellationToken)));
        else if (draft.OpenBatchId is not null)
            await context.Publish(Ask(draft));
    }

    /// <summary>Why no question of the layer makes sense; null if all do.</summary>
    internal static string? WhyUnavailable(Command message, Evidence evidence, IReadOnlyList<Insight> below)
    {
        if (!message.AdvisorAvailable)
            return "No engine named advisor is configured. Configure one to have insights drafted; the recommended actions come from rules.";
        if (evidence.Answers.Count == 0)
            return "No valid answer to speak about.";
        if (message.Layer > 1 && below.Count == 0)
            return "None of the findings it would rest on is available.";
        return null;
    }

    /// <summary>The open questions of a draft; the same batch however often it is asked.</summary>
    internal static AskEngine Ask(DraftRow draft) => new()
    {
        AuditId = draft.AuditId,
        Attempt = draft.Attempt,
        BatchId = draft.OpenBatchId!.Value,
        Purpose = Purposes.Insight,
        Engine = AdvisorInput.Engine,
        DeadlineAt = draft.DeadlineAt,
        Questions = draft.ReadQuestions(),
        Json = true,
        AskInDoubtAgain = draft.AskInDoubtAgain,
    };

    internal static InsightsDrafted Drafted(DraftRow draft, IEnumerable<Insight> insights) => new()
    {
        AuditId = draft.AuditId,
        Attempt = draft.Attempt,
        Layer = draft.Layer,
        Simulated = draft.Simulated,
        Insights = [.. insights.OrderBy(insight => insight.InsightId, StringComparer.Ordinal)],
        Recommendations = draft.ReadRecommendations(),
        SpentMicroUsd = draft.SpentMicroUsd,
    };

    internal static async Task<IReadOnlyList<Insight>> InsightsOfAsync(AnalyzerDbContext db, DraftRow draft, CancellationToken cancellationToken)
    {
        var rows = await db.Insights.AsNoTracking().Where(x => x.AuditId == draft.AuditId && x.Attempt == draft.Attempt && x.Layer == draft.Layer).ToArrayAsync(cancellationToken);
        return [.. rows.Select(row => row.ReadContent())];
    }
}

sealed class DraftInsightsConsumerDefinition : AssayConsumerDefinition<DraftInsightsConsumer, AnalyzerDbContext>
{
    // Prompts are composed inside the transaction: more at once than a share of the pool would leave none for the batches of answers.
    public DraftInsightsConsumerDefinition() => ConcurrentMessageLimit = AssayDatabaseOptionsExtensions.MostConnections / 4;
}

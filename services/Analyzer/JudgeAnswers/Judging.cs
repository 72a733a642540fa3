using Assay.Analyzer.Advisor;
using Assay.Analyzer.Database;
using Assay.Analyzer.DraftInsights;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.JudgeAnswers;

/// <summary>Opens and settles the judge's batch of an attempt; the first layer of insights waits for it.</summary>
static class Judging
{
    /// <summary>The batch of this draft's attempt: opened if none is, the same one again while it is open, null if there is nothing to judge.</summary>
    public static async Task<AskEngine?> OpenAsync(AnalyzerDbContext db, DraftRow draft, Evidence evidence, JudgeOptions options, DateTime now, CancellationToken cancellationToken)
    {
        var sample = JudgePrompt.Sample(evidence, options.Answers);
        if (sample.Count == 0)
            return null;
        var keys = sample.Select(answer => answer.CallKey).ToList();
        var texts = await db.Answers.AsNoTracking().Where(x => x.AuditId == draft.AuditId && keys.Contains(x.CallKey) && x.Text != null)
            .Select(x => new { x.CallKey, x.Text }).ToDictionaryAsync(x => x.CallKey, x => x.Text!, StringComparer.Ordinal, cancellationToken);
        var features = await FeaturesAsync(db, draft.AuditId, cancellationToken);
        var batch = new JudgeBatchRow
        {
            BatchId = NewId.NextSequentialGuid(),
            AuditId = draft.AuditId,
            Attempt = draft.Attempt,
            Questions = JsonColumn.Write(sample.Where(answer => texts.ContainsKey(answer.CallKey)).Select(answer => JudgePrompt.Build(evidence, features, answer, texts[answer.CallKey]))),
            AskedAt = now,
        };
        db.JudgeBatches.Add(batch);
        draft.OpenJudgeBatchId = batch.BatchId;
        return Ask(draft, batch);
    }

    public static async Task<AskEngine?> AgainAsync(AnalyzerDbContext db, DraftRow draft, CancellationToken cancellationToken) =>
        draft.OpenJudgeBatchId is { } batchId && await db.JudgeBatches.FindAsync([batchId], cancellationToken) is { Questions: not null } batch ? Ask(draft, batch) : null;

    /// <summary>Stores the opinions of an open batch and gives back the draft that waited; null if none does.</summary>
    public static async Task<(DraftRow Draft, AnswersJudged Judged)?> SettleAsync(AnalyzerDbContext db, EvidenceReader evidences, EngineAnswered message, DateTime now, CancellationToken cancellationToken)
    {
        var batch = await db.JudgeBatches.FindAsync([message.BatchId], cancellationToken);
        var draft = await db.Drafts.SingleOrDefaultAsync(x => x.OpenJudgeBatchId == message.BatchId, cancellationToken);
        if (batch?.Questions is null || draft is null)
            return null;
        var evidence = await evidences.ReadAsync(draft.AuditId, draft.ScoreId, cancellationToken);
        var rows = Agreement.Rows(draft.AuditId, draft.Attempt, ReadQuestions(batch), message.Answers, evidence, await FeaturesAsync(db, draft.AuditId, cancellationToken));
        db.Judgements.AddRange(rows);
        batch.Questions = null;
        batch.JudgedAt = now;
        var spent = message.Answers.Where(answer => !answer.Reused).Sum(answer => answer.CostMicroUsd);
        draft.SpentMicroUsd += spent;
        draft.OpenJudgeBatchId = null;
        draft.Version++;
        var queryOf = evidence.Answers.ToDictionary(answer => answer.CallKey, answer => answer.QueryId, StringComparer.Ordinal);
        return (draft, Agreement.Report(draft.AuditId, draft.Attempt, message.Simulated || evidence.Scores.Simulated, spent, rows, queryOf));
    }

    /// <summary>The stored opinions of every attempt, as they were reported; what they cost then is the ledger's.</summary>
    public static async Task<IReadOnlyList<AnswersJudged>> ToldAgainAsync(AnalyzerDbContext db, Guid auditId, CancellationToken cancellationToken)
    {
        var rows = await db.Judgements.AsNoTracking().Where(row => row.AuditId == auditId).ToArrayAsync(cancellationToken);
        if (rows.Length == 0)
            return [];
        // The layer that waits for the judge knows whether advisor or scores were simulated.
        var drafts = await db.Drafts.AsNoTracking().Where(draft => draft.AuditId == auditId && draft.Layer == 1).ToDictionaryAsync(draft => draft.Attempt, cancellationToken);
        var keys = rows.Select(row => row.CallKey).Distinct(StringComparer.Ordinal).ToArray();
        var queryOf = await db.Answers.AsNoTracking().Where(answer => answer.AuditId == auditId && keys.Contains(answer.CallKey))
            .Select(answer => new { answer.CallKey, answer.QueryId }).ToDictionaryAsync(answer => answer.CallKey, answer => answer.QueryId, StringComparer.Ordinal, cancellationToken);
        return
        [
            .. from row in rows
               where queryOf.ContainsKey(row.CallKey) && drafts.ContainsKey(row.Attempt)
               group row by row.Attempt into ofAttempt
               orderby ofAttempt.Key
               select Agreement.Report(auditId, ofAttempt.Key, drafts[ofAttempt.Key].Simulated, spentMicroUsd: 0, [.. ofAttempt], queryOf),
        ];
    }

    static AskEngine Ask(DraftRow draft, JudgeBatchRow batch) => new()
    {
        AuditId = draft.AuditId,
        Attempt = draft.Attempt,
        BatchId = batch.BatchId,
        Purpose = Purposes.Judge,
        Engine = AdvisorInput.Engine,
        DeadlineAt = draft.DeadlineAt,
        Questions = ReadQuestions(batch),
        Json = true,
        AskInDoubtAgain = draft.AskInDoubtAgain,
    };

    static IReadOnlyList<Question> ReadQuestions(JudgeBatchRow batch) =>
        batch.Questions is { } json ? JsonColumn.Read<List<Question>>(json, $"the questions of judge batch {batch.BatchId} of audit {batch.AuditId}") : [];

    static async Task<IReadOnlyList<string>> FeaturesAsync(AnalyzerDbContext db, Guid auditId, CancellationToken cancellationToken) =>
        (await db.Subjects.FindAsync([auditId], cancellationToken))?.ReadRequest().Brand.Features ?? [];
}

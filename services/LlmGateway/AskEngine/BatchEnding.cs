using System.Data.Common;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>Ends batches whose last call is decided, each exactly once, and publishes their answers in the same transaction.</summary>
static class BatchEnding
{
    static string SelectBatches(LedgerSession session) =>
        $"SELECT batch_id, audit_id, attempt, purpose, engine, engine_kind, model, simulated, (SELECT trace_parent FROM audit_budget WHERE audit_budget.audit_id = batch.audit_id), {session.Clock} FROM batch";

    /// <summary>
    /// "Nothing of the row <c>batch</c> is undecided". Calls are taken in the order of their questions, so that the last question is looked at
    /// first: while a batch is under way one look is enough.
    /// </summary>
    public const string IsDecided = """
        (SELECT 1 FROM batch_call JOIN paid_call ON paid_call.call_key = batch_call.call_key
         WHERE batch_call.batch_id = batch.batch_id AND paid_call.state IN ('Planned', 'Sending') ORDER BY batch_call.position DESC LIMIT 1) IS NULL
        """;

    /// <summary>
    /// "Is open", for statements that name batches by their ids or their audits. PostgreSQL takes the partial index of open batches to be tiny and would
    /// look at every open batch of every audit; through this it does not see that index.
    /// </summary>
    const string IsOpen = "CASE WHEN finished_at IS NULL THEN 1 ELSE 0 END = 1";

    /// <param name="Now">The database's clock as the batch was read.</param>
    sealed record BatchView(Guid BatchId, Guid AuditId, int Attempt, string Purpose, string Engine, string EngineKind, string Model, bool Simulated, string? TraceParent, DateTime Now);

    sealed record Asked(Guid BatchId, EngineAnswer Answer);

    /// <summary>Ends those of these audits' open batches that have nothing undecided left. The caller holds the audits' budgets.</summary>
    public static async Task EndBatchesAsync(this LedgerSession session, IAnnounce announce, IEnumerable<Guid> auditIds, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var end = session.EndBatches(group, announce, auditIds);
        await session.RunAsync(group, cancellationToken);
        await end(cancellationToken);
    }

    /// <summary>
    /// Asks, as a part of a group, which of these audits' batches are decided. What this returns must be called once the group has run: it
    /// ends them. The caller holds the audits' budgets: two instances that decide the last two calls of a
    /// batch come here one after the other.
    /// </summary>
    /// <param name="session">The session whose transaction ends them.</param>
    /// <param name="group">The group.</param>
    /// <param name="announce">Where answers and reports are published.</param>
    /// <param name="auditIds">The audits.</param>
    /// <param name="counted">Batches of these audits whose calls are decided by all that is known here: their answers are read at once, and say whether they really are.</param>
    public static Func<CancellationToken, Task> EndBatches(this LedgerSession session, StatementGroup group, IAnnounce announce, IEnumerable<Guid> auditIds, IEnumerable<Guid>? counted = null)
    {
        Guid[] ids = [.. auditIds.Distinct()];
        if (ids.Length == 0)
            return _ => Task.CompletedTask;
        Guid[] read = [.. counted ?? []];
        var batches = group.Query(
            new Statement($"{SelectBatches(session)} WHERE {session.In("audit_id", 1)} AND {IsOpen} AND ({session.In("batch_id", 2)} OR {IsDecided}) ORDER BY batch_id").With(ids).With(read),
            row => ReadBatch(session, row));
        var answers = read.Length == 0 ? null : group.Query(SelectAnswers(session, read), ReadAsked);
        return cancellationToken =>
        {
            var known = (answers?.Rows ?? []).ToLookup(asked => asked.BatchId);
            return session.EndAsync(announce, [.. batches.Rows.Where(batch => !known[batch.BatchId].Any(asked => asked.Answer.State is CallStates.Planned or CallStates.Sending))], known, cancellationToken);
        };
    }

    /// <summary>Publishes a finished batch's answers again, as the ledger knows them.</summary>
    public static async Task RepeatBatchAsync(this LedgerSession session, IAnnounce announce, Guid batchId, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var batches = group.Query(new Statement($"{SelectBatches(session)} WHERE batch_id = $1").With(batchId), row => ReadBatch(session, row));
        var answers = group.Query(SelectAnswers(session, [batchId]), ReadAsked);
        await session.RunAsync(group, cancellationToken);
        await PublishAsync(announce, batches.Rows, answers.Rows, cancellationToken);
    }

    /// <summary>One round trip, however much there is to tell: who ends batches has often just moved money, and everybody waits for the rows of tree and day.</summary>
    static async Task EndAsync(this LedgerSession session, IAnnounce announce, IReadOnlyList<BatchView> ended, ILookup<Guid, Asked> known, CancellationToken cancellationToken)
    {
        if (ended.Count == 0)
            return;

        Guid[] ids = [.. ended.Select(batch => batch.BatchId)];
        Guid[] unread = [.. ids.Where(id => !known.Contains(id))];
        var group = new StatementGroup();
        var finished = group.Execute(new Statement($"UPDATE batch SET finished_at = $2 WHERE {session.In("batch_id", 1)} AND {IsOpen}").With(ids).With(ended[0].Now));
        var answers = unread.Length == 0 ? null : group.Query(SelectAnswers(session, unread), ReadAsked);
        var reports = ended.Select(batch => batch.AuditId).Distinct().Select(auditId => session.ReportBudget(group, auditId)).ToList();
        await session.RunAsync(group, cancellationToken);
        if (finished.Changed != ended.Count)
            throw new InvalidOperationException($"Of the batches {string.Join(", ", ids)} only {finished.Changed} could be ended: others end them at the same moment, without holding their audits' budgets. The transaction is rolled back and made again.");
        await PublishAsync(announce, ended, [.. known.SelectMany(batch => batch), .. answers?.Rows ?? []], cancellationToken);
        foreach (var report in reports)
            await report(announce, cancellationToken);
    }

    static Statement SelectAnswers(LedgerSession session, Guid[] batchIds) => new Statement($"""
        SELECT batch_call.batch_id, batch_call.question_id, batch_call.reused, c.call_key, c.request_json, c.run, c.state, c.reason, c.text, c.text_hash, c.sources_json,
               c.search_used, c.served_model, c.surface, c.response_time_ms, c.input_tokens, c.output_tokens, c.spent_micro_usd, c.cache_hit, c.paid_tries, c.answered_at, c.model
        FROM batch_call JOIN paid_call c ON c.call_key = batch_call.call_key WHERE {session.In("batch_call.batch_id", 1)} ORDER BY batch_call.batch_id, batch_call.position
        """).With(batchIds);

    static async Task PublishAsync(IAnnounce announce, IReadOnlyList<BatchView> batches, IReadOnlyList<Asked> answers, CancellationToken cancellationToken)
    {
        foreach (var batch in batches)
        {
            using var ending = AuditTrace.GoOn("end batch", batch.TraceParent);
            await announce.PublishAsync(new EngineAnswered
            {
                AuditId = batch.AuditId,
                Attempt = batch.Attempt,
                BatchId = batch.BatchId,
                Purpose = batch.Purpose,
                Engine = batch.Engine,
                EngineKind = batch.EngineKind,
                Simulated = batch.Simulated,
                Answers = ChargeOnce(answers.Where(answer => answer.BatchId == batch.BatchId).Select(answer => answer.Answer)),
            }, cancellationToken);
        }
    }

    /// <summary>Two questions that are the same call are paid once: the second one is reused, free.</summary>
    static IReadOnlyList<EngineAnswer> ChargeOnce(IEnumerable<EngineAnswer> answers)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        return [.. answers.Select(answer => seen.Add(answer.CallKey) ? answer : answer with { Reused = true, CostMicroUsd = 0 })];
    }

    static BatchView ReadBatch(LedgerSession session, DbDataReader row) =>
        new(row.GetGuid(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetString(6), row.GetBoolean(7), row.TextOrNull(8), session.ReadClock(row, 9));

    static Asked ReadAsked(DbDataReader row) => new(row.GetGuid(0), ReadAnswer(row));

    static EngineAnswer ReadAnswer(DbDataReader row)
    {
        var request = JsonSerializer.Deserialize<EngineRequest>(row.GetString(4), AssayJson.Options)!;
        return new EngineAnswer
        {
            CallKey = row.GetString(3),
            QuestionId = row.GetString(1),
            Query = request.Text,
            Run = row.GetInt32(5),
            State = row.GetString(6),
            Reason = row.TextOrNull(7),
            Text = row.TextOrNull(8),
            TextHash = row.TextOrNull(9),
            Sources = row.TextOrNull(10) is { } sources ? JsonSerializer.Deserialize<List<AnswerSource>>(sources, AssayJson.Options)! : [],
            SearchUsed = row.BoolOrNull(11),
            RequestedModel = row.GetString(21),
            ServedModel = row.TextOrNull(12),
            Surface = row.TextOrNull(13) ?? "",
            ResponseTimeMs = row.IntOrNull(14),
            InputTokens = row.IntOrNull(15),
            OutputTokens = row.IntOrNull(16),
            CostMicroUsd = row.GetInt64(17),
            CacheHit = row.GetBoolean(18),
            PaidTries = row.GetInt32(19),
            Reused = row.GetInt32(2) != 0,
            AnsweredAt = row.UtcOrNull(20),
        };
    }
}

using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.OpenBudget;
using Assay.LlmGateway.Pump;
using Assay.LlmGateway.Quote;
using Assay.ServiceDefaults;
using MassTransit;
using Message = Assay.Contracts.Internal.LlmGateway.AskEngine;

namespace Assay.LlmGateway.AskEngine;

/// <summary>
/// Writes a batch and its calls, reserves what they may cost where that fits and nobody else could send them, and is done: asking is the
/// pump's work. No message, slot or transaction is held while a call waits or runs.
/// </summary>
sealed class AskEngineConsumer(LlmGatewayDbContext database, IEngineCatalog engines, ICallTaker takers, RememberedCalls remembered, GatewayMeters meters, LedgerSignals signals, TimeProvider time) : IConsumer<Message>
{
    sealed record AskedCall(string Key, Question Question, RenderedRequest Request, long WorstCase, int Position)
    {
        public int TokenBound => (Request.InputBytes + 3) / 4 + Request.MaxOutputTokens;
    }

    sealed record KnownCall(string Key, string State, int Attempt, int PermittedAttempt);

    /// <summary>What the batch's transaction writes.</summary>
    /// <param name="Planned">Calls that are planned and nobody's, in the order of their questions.</param>
    /// <param name="Taken">Calls that are planned, reserved and owned.</param>
    /// <param name="AreUndecided">Whether any call of the batch is undecided.</param>
    /// <param name="Verify">To be called once the statements have run: throws if money was to move that is not there.</param>
    sealed record Written(IReadOnlyList<string> Planned, IReadOnlyList<ClaimedCall> Taken, bool AreUndecided, Action Verify);

    /// <summary>Who owns the batch's new calls from the start, and the audit's row as it is locked.</summary>
    sealed record Taker(Guid Owner, SpendingView Audit);

    public async Task Consume(ConsumeContext<Message> context)
    {
        var (message, cancellationToken) = (context.Message, context.CancellationToken);
        if (message.Questions.Count > BatchBounds.MostQuestions(message.Purpose))
            throw new InvalidOperationException($"Batch {message.BatchId} of audit {message.AuditId} asks engine '{message.Engine}' {message.Questions.Count} questions; a batch has at most {BatchBounds.MostQuestions(message.Purpose)}. Nothing was asked; send it in several batches.");
        var session = new LedgerSession(database, time);
        var announce = new AnnounceByConsumer(context);
        var engine = engines.Find(message.Engine);
        var asked = Render(message, engine);
        var owner = engine is null ? null : takers.TakerOf(engine, asked.Count);

        // Two round trips: whoever asks an idle engine waits for them.
        var reading = new StatementGroup();
        var budgets = session.LockBudgets(reading, [message.AuditId], share: false);
        var batch = reading.Query(new Statement("SELECT finished_at FROM batch WHERE batch_id = $1").With(message.BatchId), row => row.UtcOrNull(0));
        var known = reading.Query(
            new Statement($"SELECT call_key, state, attempt, permitted_attempt FROM paid_call WHERE {session.In("call_key", 1)} ORDER BY call_key{session.ForUpdate}").With(asked.Select(call => call.Key).Distinct(StringComparer.Ordinal).ToArray()),
            row => new KnownCall(row.GetString(0), row.GetString(1), row.GetInt32(2), row.GetInt32(3)));
        var spending = owner is null ? null : session.LockSpending(reading, [Scopes.Audit(message.AuditId)]);
        var askedAlive = owner is { } one ? GatewayOwner.AskIsAlive(session, reading, one) : () => null;
        var askedNow = session.AskNow(reading);
        await session.RunAsync(reading, cancellationToken);

        if (budgets.Rows is not [var budget])
            throw new InvalidOperationException($"Batch {message.BatchId} asks engine '{message.Engine}' for audit {message.AuditId}, which has no budget in this ledger. Its OpenBudget has not been handled, or the gateway's database was restored to an earlier point; run `assay doctor --after-restore`.");
        if (batch.Rows is [var finishedAt])
        {
            if (finishedAt is not null)
                await session.RepeatBatchAsync(announce, message.BatchId, cancellationToken);
            return;
        }

        var writing = new StatementGroup();
        if (budget.IsLive(message.Attempt) && PhaseReturn.Begins(budget.Phase, message.Purpose))
        {
            writing.Execute(new Statement("UPDATE audit_budget SET phase = $2 WHERE audit_id = $1").With(budget.AuditId).With(message.Purpose));
            database.Committed += signals.WakeSweep;
        }

        var taker = askedAlive() is not null && spending!.Rows is [var audit] ? new Taker(owner!.Value, audit) : null;
        var calls = Write(session, writing, message, budget, engine, asked, known.Rows.ToDictionary(call => call.Key, StringComparer.Ordinal), RefusalOf(message, budget, engine), taker, askedNow());
        var end = session.EndBatches(writing, announce, calls.AreUndecided ? [] : [message.AuditId]);
        await session.RunAsync(writing, cancellationToken);
        calls.Verify();
        await end(cancellationToken);
        var expected = calls.Taken.Count > 0 ? remembered.Expect(calls.Taken) : null;
        database.Committed += () =>
        {
            if (expected is not null && remembered.Confirm(expected))
                meters.Reserved(engine!.Name, calls.Taken.Sum(call => call.ReservedMicroUsd));
            if (calls.Planned.Count == 0 || remembered.Add(engine!.Name, message.AuditId, calls.Planned))
                signals.WakePumpForRoom();
            else
                signals.WakePump();
        };
    }

    /// <summary>Why nothing is asked; null if the attempt may spend and the engine is still the one that is pinned.</summary>
    static string? RefusalOf(Message message, BudgetView budget, EngineDefinition? engine)
    {
        if (!budget.IsLive(message.Attempt))
            return CallReasons.AuditClosed;
        var pin = BudgetOpening.Pins(budget.PinsJson!).FirstOrDefault(pin => string.Equals(pin.Engine, message.Engine, StringComparison.OrdinalIgnoreCase));
        return engine is null || pin is null || pin.DifferenceTo(engine) is not null ? CallReasons.EngineUnknown : null;
    }

    static IReadOnlyList<AskedCall> Render(Message message, EngineDefinition? engine) =>
    [
        .. message.Questions.Select((question, position) =>
        {
            var request = new EngineRequest
            {
                System = question.System,
                Text = question.Text,
                Locale = question.Locale,
                Run = question.Run,
                Json = message.Json,
                MaxOutputTokens = message.MaxOutputTokens,
                Purpose = message.Purpose,
            };
            // Without its engine a question still gets a key of its own, so that it can be counted as declined.
            var rendered = engine?.Engine.Render(request)
                ?? new RenderedRequest { Hash = CallKey.HashOfText($"{question.System}\n{question.Text}\n{question.Locale}"), InputBytes = 0, MaxOutputTokens = 0, Request = request };
            return new AskedCall(CallKey.Of(message.AuditId, message.Purpose, engine?.Name ?? message.Engine, engine?.Model ?? "", rendered.Hash, question.Run), question, rendered, engine?.WorstCaseMicroUsd(rendered) ?? 0, position);
        }),
    ];

    /// <summary>Adds the batch and its calls to the group.</summary>
    static Written Write(LedgerSession session, StatementGroup group, Message message, BudgetView budget, EngineDefinition? engine, IReadOnlyList<AskedCall> asked, Dictionary<string, KnownCall> known, string? refusal, Taker? taker, DateTime now)
    {
        var permission = message.AskInDoubtAgain || CallDecision.MayAskAgain(budget, message.Attempt);
        var planned = refusal is null;
        group.Execute(
            new Statement("INSERT INTO batch (batch_id, audit_id, attempt, purpose, engine, engine_kind, model, simulated, total, deadline_at, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                .With(message.BatchId).With(message.AuditId).With(message.Attempt).With(message.Purpose).With(engine?.Name ?? message.Engine).With(engine?.Kind ?? "").With(engine?.Model ?? "")
                .With(engine?.Simulated ?? false).With(asked.Count).With(message.DeadlineAt).With(now));
        Dictionary<string, Ask> decisions = new(StringComparer.Ordinal);
        List<AskedCall> added = [];
        foreach (var call in asked.DistinctBy(call => call.Key).OrderBy(call => call.Key, StringComparer.Ordinal))
        {
            var decision = CallDecision.OnAsk(known.GetValueOrDefault(call.Key)?.State, known.GetValueOrDefault(call.Key)?.Attempt ?? 0, known.GetValueOrDefault(call.Key)?.PermittedAttempt ?? 0, message.Attempt, permission);
            decisions[call.Key] = decision;
            switch (decision)
            {
                case Ask.Insert:
                    added.Add(call);
                    break;
                case Ask.PlanAgain when planned:
                    group.Execute(PlanAgain(call, message, "state = 'Planned', reason = NULL", now));
                    break;
                case Ask.AskAgain when planned:
                    group.Execute(PlanAgain(call, message, "state = 'Planned', fallback_state = 'InDoubt'", now));
                    break;
            }
        }

        var worst = added.Sum(call => call.WorstCase);
        var owner = planned && added.Count > 0 && now < message.DeadlineAt && taker is not null && Fits(budget, taker.Audit, worst) ? taker.Owner : (Guid?)null;
        var moves = new MoneyMoves();
        if (owner is not null)
            moves.Reserve(budget, worst);
        var verify = moves.Write(session, group, areLocked: true);
        if (added.Count > 0)
            group.Execute(Insert(session, message, engine, added, planned ? CallStates.Planned : CallStates.Declined, refusal, owner, now));
        if (asked.Count > 0)
            group.Execute(InsertQuestions(session, message, asked, decisions));
        var toAsk = planned ? asked.DistinctBy(call => call.Key).Where(call => decisions[call.Key] is Ask.Insert or Ask.PlanAgain or Ask.AskAgain).ToLookup(call => owner is not null && decisions[call.Key] == Ask.Insert) : null;
        var batch = new OwnedBatch(message.BatchId, added.Count);
        return new([.. toAsk?[false].Select(call => call.Key) ?? []], [.. toAsk?[true].Select(call => Taken(message, budget, engine!, call, owner!.Value, batch)) ?? []], toAsk is { Count: > 0 } || decisions.ContainsValue(Ask.Wait), verify);
    }

    /// <summary>
    /// Whether new calls may be reserved all at once. Where money is short they are claimed one after the other instead: an engine that hangs
    /// must not hold what another could spend.
    /// </summary>
    static bool Fits(BudgetView budget, SpendingView audit, long worst) =>
        budget.PaysForAll && ReservationDecision.Of(worst, budget.AllocatedMicroUsd, budget.ReservedMicroUsd, audit, shared: []) is { Verdict: Reservation.Go, Grow: 0 };

    static ClaimedCall Taken(Message message, BudgetView budget, EngineDefinition engine, AskedCall call, Guid owner, OwnedBatch batch) => new()
    {
        CallKey = call.Key,
        AuditId = message.AuditId,
        Attempt = message.Attempt,
        Owner = owner,
        Engine = engine,
        Request = call.Request,
        ReservedMicroUsd = call.WorstCase,
        TokenBound = call.TokenBound,
        DeadlineAt = message.DeadlineAt,
        TraceParent = budget.TraceParent,
        Tries = 0,
        InvalidTries = 0,
        IsPermitted = false,
        PermissionUsed = false,
        Batch = batch,
    };

    static Statement Insert(LedgerSession session, Message message, EngineDefinition? engine, IReadOnlyList<AskedCall> calls, string state, string? reason, Guid? owner, DateTime now)
    {
        var rows = new RowSet<AskedCall>(calls)
            .With("call", call => call.Key).With("its_run", call => call.Question.Run).With("request", call => JsonSerializer.Serialize(call.Request.Request, AssayJson.Options))
            .With("worst_case", call => call.WorstCase).With("tokens", call => call.TokenBound).With("place", call => call.Position).With("taken_for", call => owner is null ? 0 : call.WorstCase);
        return Statement.About(rows, $"""
            INSERT INTO paid_call (call_key, audit_id, attempt, purpose, engine, model, run, request_json, worst_case_micro_usd, token_bound, state, reason, owner, reserved_micro_usd, spent_micro_usd,
                tries, invalid_tries, paid_tries, permitted_attempt, permitted, try_spent_micro_usd, deadline_at, planned_at, position, cache_hit)
            SELECT call, $1, $2, $3, $4, $5, its_run, request, worst_case, tokens, $6, $7, $11, taken_for, 0, 0, 0, 0, 0, 0, 0, $8, $9, place, $10 FROM {session.Rows(rows, "asked", values: 11)}
            """)
            .With(message.AuditId).With(message.Attempt).With(message.Purpose).With(engine?.Name ?? message.Engine).With(engine?.Model ?? "").With(state).With(reason).With(message.DeadlineAt).With(now).With(false).With(owner);
    }

    static Statement InsertQuestions(LedgerSession session, Message message, IReadOnlyList<AskedCall> asked, Dictionary<string, Ask> decisions)
    {
        HashSet<string> charged = new(StringComparer.Ordinal);
        var rows = new RowSet<AskedCall>(asked)
            .With("place", call => call.Position).With("question", call => call.Question.QuestionId).With("call", call => call.Key)
            .With("is_reused", call => decisions[call.Key] == Ask.Reuse || !charged.Add(call.Key) ? 1 : 0);
        return Statement.About(rows, $"INSERT INTO batch_call (batch_id, position, question_id, call_key, reused) SELECT $1, place, question, call, is_reused FROM {session.Rows(rows, "asked", values: 1)}")
            .With(message.BatchId);
    }

    static Statement PlanAgain(AskedCall call, Message message, string change, DateTime now) =>
        new Statement($"UPDATE paid_call SET {change}, attempt = $2, deadline_at = $3, planned_at = $4, position = $5 WHERE call_key = $1")
            .With(call.Key).With(message.Attempt).With(message.DeadlineAt).With(now).With(call.Position);
}

sealed class AskEngineConsumerDefinition : AssayConsumerDefinition<AskEngineConsumer, LlmGatewayDbContext>;

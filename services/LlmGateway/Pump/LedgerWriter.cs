using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;
using Assay.ServiceDefaults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.Pump;

/// <summary>
/// The one writer of intents and outcomes of this instance. Everything that arrives while a flush runs goes into the next one, in one
/// transaction: outcomes first, so that a slot freed by an outcome and taken by an intent never makes more calls <c>Sending</c> than there
/// are slots. The next flush begins as soon as the last returned; there is no timer.
/// </summary>
sealed partial class LedgerWriter(LedgerTransactions transactions, GatewayOwner owner, LedgerSignals signals, GatewayMeters meters, IOptions<LlmGatewayOptions> options, ILogger<LedgerWriter> logger)
{
    const int MostInAFlush = 500;
    const int MostFailuresOfOne = 3;

    int _pending;

    /// <summary>Whether everything that was said is durable.</summary>
    public bool IsIdle => Volatile.Read(ref _pending) == 0;

    readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });

    abstract class Entry
    {
        public required ClaimedCall Call { get; init; }
        public int Failures { get; set; }
    }

    sealed class IntentEntry : Entry
    {
        public TaskCompletionSource<SendPermit> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public Guid TryId { get; } = Guid.CreateVersion7();
        public Verdict Verdict { get; set; }
    }

    sealed class OutcomeEntry : Entry
    {
        public required Guid TryId { get; init; }

        /// <summary>Null: given back, no byte was written.</summary>
        public EngineOutcome? Outcome { get; set; }

        public TaskCompletionSource<OutcomeDecision?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public OutcomeDecision? Decision { get; set; }

        /// <summary>What a commit of unknown result decided; it stands if the try turns out to be settled.</summary>
        public OutcomeDecision? Unconfirmed { get; set; }

        public SettledTry? Settled { get; set; }
    }

    /// <param name="TryId">The try.</param>
    /// <param name="IsLate">Whether it was in doubt before.</param>
    /// <param name="SpentBefore">What it was counted at.</param>
    /// <param name="Reserved">Its worst case.</param>
    /// <param name="Day">The day that pays.</param>
    /// <param name="Attempt">The attempt that sent it.</param>
    sealed record SettledTry(Guid TryId, bool IsLate, long SpentBefore, long Reserved, string Day, int Attempt);

    /// <summary>Asks to send a call; completes once the ledger says so durably.</summary>
    public Task<SendPermit> IntendAsync(ClaimedCall call)
    {
        var entry = new IntentEntry { Call = call };
        Interlocked.Increment(ref _pending);
        _entries.Writer.TryWrite(entry);
        return entry.Done.Task;
    }

    /// <summary>Records a try's outcome, null for one given back unsent; completes once it is durable. Null if the try was settled before.</summary>
    public Task<OutcomeDecision?> RecordAsync(ClaimedCall call, Guid tryId, EngineOutcome? outcome)
    {
        var entry = new OutcomeEntry { Call = call, TryId = tryId, Outcome = outcome };
        Interlocked.Increment(ref _pending);
        _entries.Writer.TryWrite(entry);
        return entry.Done.Task;
    }

    /// <summary>Flushes until nothing more can come.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        List<Entry> entries = [];
        while (await _entries.Reader.WaitToReadAsync(stop))
        {
            // Answers come in crowds: those that are in already, and wait for a thread to say so, go with the first of them. No wait for what is
            // not there yet: with nothing else to run this costs a microsecond.
            await Task.Yield();
            while (entries.Count < MostInAFlush && _entries.Reader.TryRead(out var entry))
                entries.Add(entry);
            await FlushUntilDoneAsync(entries, stop);
            entries.Clear();
        }
    }

    /// <summary>Says that nothing more will come: <see cref="RunAsync"/> ends after the last flush.</summary>
    public void Complete() => _entries.Writer.TryComplete();

    async Task FlushUntilDoneAsync(List<Entry> entries, CancellationToken stop)
    {
        for (var failures = 0; ; failures++)
        {
            try
            {
                await FlushAsync(entries, stop);
                return;
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                // Nothing is sent while the ledger cannot be written; outcomes wait here, whatever the fault.
                FlushFailed(logger, entries.Count, failures + 1, exception);
                if (failures > 0 && !IsTransient(exception))
                    await FlushOneByOneAsync(entries, stop);
                if (entries.Count == 0)
                    return;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 100 << Math.Min(failures, 5))), stop);
            }
        }
    }

    /// <summary>One entry that the database refuses must not hold up the others: it is found, reduced to its money, and reported.</summary>
    async Task FlushOneByOneAsync(List<Entry> entries, CancellationToken stop)
    {
        foreach (var entry in entries.ToList())
        {
            List<Entry> alone = [entry];
            try
            {
                await FlushAsync(alone, stop);
                entries.Remove(entry);
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                // An intent whose commit is unknown was replaced by its taking back.
                entries[entries.IndexOf(entry)] = alone[0];
                if (alone[0] != entry)
                    continue;
                if (IsTransient(exception) || ++entry.Failures < MostFailuresOfOne)
                    continue;
                EntryRefused(logger, entry.Call.CallKey, entry.Call.AuditId, entry.Failures, exception);
                if (entry is OutcomeEntry { Outcome.Text: not null } outcome)
                    outcome.Outcome = outcome.Outcome with { State = CallStates.Empty, Reason = CallReasons.UnreadableAnswer, Text = null, Sources = [] };
                else if (entry is IntentEntry intent)
                {
                    entries.Remove(entry);
                    Interlocked.Decrement(ref _pending);
                    intent.Done.TrySetResult(new(Verdict.Gone, default, 0));
                }
            }
        }
    }

    static bool IsTransient(Exception exception) =>
        exception is TimeoutException or IOException or OperationCanceledException || exception.IsTransient() || (exception.InnerException is { } inner && IsTransient(inner));

    async Task FlushAsync(List<Entry> entries, CancellationToken stop)
    {
        var (committing, storedAt, begun) = (false, 0L, Stopwatch.GetTimestamp());
        try
        {
            var handedOn = await transactions.RunAsync(
                (session, announce, token) => WriteAsync(session, announce, entries, token), stop, () =>
                {
                    committing = true;
                    storedAt = Stopwatch.GetTimestamp();
                });
            if (handedOn > 0)
                signals.WakePump();
            else if (entries.Exists(entry => entry is OutcomeEntry))
                // Money has come back: who waits for it may go.
                signals.WakePumpForRoom();
        }
        catch (Exception exception) when (committing && exception is not OperationCanceledException)
        {
            CommitUnknown(logger, entries.Count, exception);
            foreach (var outcome in entries.OfType<OutcomeEntry>())
                outcome.Unconfirmed = outcome.Decision;
            TakeBackIntents(entries);
            throw;
        }

        meters.Flushed(entries.Count, Stopwatch.GetElapsedTime(begun));
        foreach (var entry in entries)
        {
            if (entry is IntentEntry intent)
                intent.Done.TrySetResult(new(intent.Verdict, intent.TryId, storedAt));
            else if (entry is OutcomeEntry outcome)
            {
                if (outcome.Decision?.Next == Next.Decided)
                    outcome.Call.Batch?.Decided();
                else if (outcome.Decision?.Next == Next.Replan)
                    outcome.Call.Batch?.LoseCount();
                outcome.Done.TrySetResult(outcome.Decision);
            }
        }

        Interlocked.Add(ref _pending, -entries.Count);
    }

    /// <summary>
    /// After a commit whose result is unknown, outcomes are simply applied again (by try id: the second time changes nothing, and what the
    /// first one decided stands, so that a call to be tried later comes back to its lane). Intents are
    /// taken back the same way: the budget's lock waits for the lost session, then a row that did become <c>Sending</c> with this try id is
    /// planned again. No byte was written for it.
    /// </summary>
    static void TakeBackIntents(List<Entry> entries)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i] is not IntentEntry intent)
                continue;
            var takeBack = new OutcomeEntry { Call = intent.Call, TryId = intent.TryId };
            _ = takeBack.Done.Task.ContinueWith(_ => intent.Done.TrySetResult(new(Verdict.Again, default, 0)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            entries[i] = takeBack;
        }
    }

    async Task<int> WriteAsync(LedgerSession session, IAnnounce announce, List<Entry> entries, CancellationToken cancellationToken)
    {
        var outcomes = entries.OfType<OutcomeEntry>().ToList();
        var intents = entries.OfType<IntentEntry>().ToList();

        var locks = new StatementGroup();
        session.LockAsFlush(locks);
        var locked = session.LockBudgets(locks, entries.Select(entry => entry.Call.AuditId), share: outcomes.Count == 0);
        var settledAtOnce = SettleAtOnce(session, locks, outcomes);
        var askedGate = owner.AskGate(session, locks);
        await session.RunAsync(locks, cancellationToken);
        var (budgets, gate) = (locked.Rows.ToDictionary(budget => budget.AuditId), askedGate());

        // Outcomes and intents share one round trip after the tries are settled.
        var group = new StatementGroup();
        var applied = await ApplyOutcomesAsync(session, group, announce, outcomes, settledAtOnce(), budgets, gate, cancellationToken);
        var stored = StoreIntents(session, group, intents, budgets, gate);
        await session.RunAsync(group, cancellationToken);
        stored();
        return await applied(cancellationToken);
    }

    /// <summary>
    /// Settles the tries and adds what follows for money, calls and batches to the group. What this returns must be called once the group has
    /// run; it tells how many calls were planned for an attempt that waited for them.
    /// </summary>
    /// <remarks>
    /// Every transaction that touches an audit's tries holds its budget first, so that the shared rows of tree and day may be locked last and
    /// for one round trip only.
    /// </remarks>
    async Task<Func<CancellationToken, Task<int>>> ApplyOutcomesAsync(
        LedgerSession session, StatementGroup group, IAnnounce announce, List<OutcomeEntry> outcomes, Dictionary<Guid, SettledTry> settled, Dictionary<Guid, BudgetView> budgets, Gate gate, CancellationToken cancellationToken)
    {
        if (outcomes.Count == 0)
            return _ => Task.FromResult(0);
        // The try first: what these statements changed, and nothing else, is settled below.
        foreach (var outcome in outcomes.Where(outcome => !IsDecidedByItself(outcome)))
            outcome.Decision = Decide(outcome, budgets[outcome.Call.AuditId], isLate: false);
        await SettleOthersAsync(session, outcomes, settled, gate.Now, cancellationToken);

        var moves = new MoneyMoves();
        List<OutcomeEntry> changed = [];
        foreach (var outcome in outcomes)
        {
            outcome.Settled = settled.Remove(outcome.TryId, out var @try) ? @try : null;
            if (outcome.Settled is not { } before)
            {
                outcome.Decision = outcome.Unconfirmed;
                continue;
            }

            var budget = budgets[outcome.Call.AuditId];
            if (IsLate(outcome))
            {
                outcome.Decision = Decide(outcome, budget, isLate: true);
                moves.Correct(budget, before.Day, before.Reserved, before.SpentBefore, outcome.Decision.ChargedMicroUsd);
            }
            else if (outcome.Decision!.Next != Next.Later)
                moves.Settle(budget, before.Attempt, before.Day, before.Reserved, outcome.Decision.ChargedMicroUsd);

            changed.Add(outcome);
        }

        var verify = moves.Write(session, group);
        List<OutcomeEntry> toMove = [.. changed.Where(outcome => IsLate(outcome) || !StaysWithItsCall(outcome))];
        var moved = MoveCalls(session, group, toMove);
        // A retry may already wait for a call that its closed attempt had on the wire.
        var handedOn = changed.Where(outcome => outcome.Decision!.Next == Next.Decided && (!outcome.Decision.MayBeBilled || outcome.Decision.TryState == TryStates.InDoubt)
                && budgets[outcome.Call.AuditId] is var budget && outcome.Settled!.Attempt < budget.Attempt && budget.IsLive(budget.Attempt))
            .Select(outcome => group.Execute(CallStatements.PlanForWaiting(outcome.Call.CallKey, budgets[outcome.Call.AuditId], gate.Now))).ToList();
        var mayEnd = MayHaveEnded(changed, budgets, gate.Now).ToList();
        var end = session.EndBatches(group, announce, mayEnd.Select(its => its.AuditId), mayEnd.Select(its => its.Counted).OfType<Guid>());
        return async token =>
        {
            verify();
            var latest = moved();
            await session.ExecuteAsync(
                [.. toMove.Where(outcome => !latest.Contains(outcome.TryId)).Select(outcome => new Statement("UPDATE paid_call SET spent_micro_usd = spent_micro_usd + $2, paid_tries = paid_tries + $3 WHERE call_key = $1")
                    .With(outcome.Call.CallKey).With(SpentDelta(outcome)).With(PaidDelta(outcome)))], token);

            if (moves.Overrun > 0)
                await HaltForOverrunAsync(session, announce, changed, gate.Now, token);
            foreach (var outcome in changed)
                meters.Settled(outcome.Call.Engine.Name, outcome.Decision!, outcome.Outcome?.ResponseTimeMs ?? 0);

            await end(token);
            // A late outcome, or one of a closed attempt, changes figures that were reported before.
            foreach (var auditId in changed.Where(outcome => IsLate(outcome) || !budgets[outcome.Call.AuditId].IsLive(outcome.Settled!.Attempt)).Select(outcome => outcome.Call.AuditId).Distinct())
                await session.ReportBudgetAsync(announce, auditId, token);
            return handedOn.Sum(call => call.Changed);
        };
    }

    /// <summary>
    /// The audits of which a batch may have ended with these outcomes, and the batch if the count says so. A batch that is counted has not while
    /// calls of it are left; what else may decide these, an attempt's end or a deadline, makes the count worthless.
    /// </summary>
    static IEnumerable<(Guid AuditId, Guid? Counted)> MayHaveEnded(List<OutcomeEntry> changed, Dictionary<Guid, BudgetView> budgets, DateTime now) => changed
        .Where(outcome => outcome.Decision!.Next == Next.Decided).GroupBy(outcome => (outcome.Call.AuditId, outcome.Call.Batch))
        .Where(own => own.Key.Batch is not { } batch || batch.MayEndWith(own.Count())
            || own.Any(outcome => IsLate(outcome) || !budgets[own.Key.AuditId].IsLive(outcome.Settled!.Attempt) || now >= outcome.Call.DeadlineAt))
        .Select(own => (own.Key.AuditId, own.Key.Batch is { } batch && batch.EndsWith(own.Count()) ? batch.BatchId : (Guid?)null));

    OutcomeDecision Decide(OutcomeEntry entry, BudgetView budget, bool isLate) => Decide(entry, isLive: budget.IsLive(entry.Call.Attempt), CallDecision.MayAskAgain(budget, entry.Call.Attempt), isLate);

    OutcomeDecision Decide(OutcomeEntry entry, bool isLive, bool mayAskAgain, bool isLate)
    {
        var call = entry.Call;
        var now = new OutcomeDecision.Circumstances(isLive, isLate, call.Attempt, call.Tries + 1, call.InvalidTries, call.IsPermitted, MayAskAgain: !call.PermissionUsed && mayAskAgain);
        return entry.Outcome is { } outcome
            ? OutcomeDecision.Of(outcome, call.Engine, call.Request, now, options.Value.FirstBackoff, options.Value.LongestBackoff)
            : OutcomeDecision.NotSent(now);
    }

    /// <summary>Whether the outcome need not know its budget: it is settled in the round trip that locks the budgets.</summary>
    static bool IsDecidedByItself(OutcomeEntry entry) => entry.Outcome is { } outcome && OutcomeDecision.DependsOnlyOn(outcome);

    static long SpentDelta(OutcomeEntry entry) => entry.Decision!.ChargedMicroUsd - (IsLate(entry) ? entry.Settled!.SpentBefore : 0);

    static int PaidDelta(OutcomeEntry entry) => (entry.Decision!.MayBeBilled ? 1 : 0) - (IsLate(entry) ? 1 : 0);

    /// <summary>Whether the try, in time, decides its call for good: then it stays where it was on the wire, in the call's row, and one statement moves both.</summary>
    static bool StaysWithItsCall(OutcomeEntry entry) => entry.Decision is { Next: Next.Decided, TryState: TryStates.Answered or TryStates.Refused or TryStates.Empty };

    /// <summary>
    /// Settles, as a part of the group that locks the budgets, the outcomes that need not know them. What this returns must be called once the
    /// group has run: it tells which tries were settled, for <see cref="SettleOthersAsync"/> to go on with.
    /// </summary>
    Func<Dictionary<Guid, SettledTry>> SettleAtOnce(LedgerSession session, StatementGroup group, List<OutcomeEntry> outcomes)
    {
        var told = outcomes.Where(IsDecidedByItself).DistinctBy(outcome => outcome.TryId).ToList();
        foreach (var outcome in told)
            outcome.Decision = Decide(outcome, isLive: true, mayAskAgain: false, isLate: false);
        var settled = told.Count == 0 ? null : group.Query(SettleWithCalls(session, told), ReadSettled);
        return () => settled?.Rows.ToDictionary(@try => @try.TryId) ?? [];
    }

    /// <summary>
    /// Settles each other try once, by its id: on the wire, or in doubt. It is added to the <paramref name="settled"/>; what is not among them
    /// then was settled before.
    /// </summary>
    static async Task SettleOthersAsync(LedgerSession session, List<OutcomeEntry> outcomes, Dictionary<Guid, SettledTry> settled, DateTime now, CancellationToken cancellationToken)
    {
        var told = outcomes.DistinctBy(outcome => outcome.TryId).ToList();
        var group = new StatementGroup();
        var parts = told.Where(outcome => !IsDecidedByItself(outcome)).GroupBy(StaysWithItsCall)
            .Select(byWay => group.Query(byWay.Key ? SettleWithCalls(session, [.. byWay]) : SettleApart(session, [.. byWay], now), ReadSettled)).ToList();
        await session.RunAsync(group, cancellationToken);
        foreach (var @try in parts.SelectMany(part => part.Rows))
            settled.Add(@try.TryId, @try);
        if (settled.Count < told.Count)
            foreach (var late in await session.QueryAsync(SettleLate(session, [.. told.Where(outcome => !settled.ContainsKey(outcome.TryId))], now), ReadSettled, cancellationToken))
                settled.Add(late.TryId, late);
    }

    /// <summary>The try and its call at once.</summary>
    static Statement SettleWithCalls(LedgerSession session, List<OutcomeEntry> outcomes)
    {
        var rows = Told(new RowSet<OutcomeEntry>(outcomes)).With("charged", outcome => outcome.Decision!.ChargedMicroUsd).With("status", outcome => outcome.Outcome?.HttpStatus);
        return Statement.About(rows, $"""
            UPDATE paid_call SET {AsTold(session, rows)}, fallback_state = NULL, paid_tries = paid_tries + 1, http_status = status, try_spent_micro_usd = charged
            FROM {session.Rows(rows, "told")} WHERE call_key = call AND try_id = try AND state = 'Sending'
            RETURNING try_id, FALSE, CAST(0 AS BIGINT), worst_case_micro_usd, day, attempt
            """);
    }

    /// <summary>The try alone, which leaves its call's row for one of its own.</summary>
    static Statement SettleApart(LedgerSession session, List<OutcomeEntry> outcomes, DateTime now)
    {
        var rows = Tries(outcomes);
        return Statement.About(rows, $"""
            INSERT INTO paid_try ({TryStatements.Columns})
            SELECT {TryStatements.Of("new_state", "why", "status", "charged", "$1")} FROM {session.Rows(rows, "told", values: 1)} JOIN paid_call ON call_key = call AND try_id = try AND paid_call.state = 'Sending'
            RETURNING try_id, FALSE, CAST(0 AS BIGINT), reserved_micro_usd, day, attempt
            """).With(now);
    }

    /// <summary>A try that was given up as in doubt.</summary>
    static Statement SettleLate(LedgerSession session, List<OutcomeEntry> outcomes, DateTime now)
    {
        var rows = Tries(outcomes);
        return Statement.About(rows, $"""
            UPDATE paid_try SET spent_before_micro_usd = spent_micro_usd, state = new_state, reason = why, http_status = status, spent_micro_usd = charged, ended_at = $1
            FROM {session.Rows(rows, "told", values: 1)} WHERE try_id = try AND state = 'InDoubt' AND new_state <> 'InDoubt'
            RETURNING try_id, TRUE, spent_before_micro_usd, reserved_micro_usd, day, attempt
            """).With(now);
    }

    static RowSet<OutcomeEntry> Tries(List<OutcomeEntry> outcomes) => new RowSet<OutcomeEntry>(outcomes)
        .With("call", outcome => outcome.Call.CallKey).With("try", outcome => outcome.TryId).With("new_state", outcome => outcome.Decision!.TryState).With("why", outcome => outcome.Decision!.Reason)
        .With("status", outcome => outcome.Outcome?.HttpStatus).With("charged", outcome => outcome.Decision!.ChargedMicroUsd);

    static SettledTry ReadSettled(DbDataReader row) => new(row.GetGuid(0), row.GetBoolean(1), row.GetInt64(2), row.GetInt64(3), row.GetString(4), row.GetInt32(5));

    /// <summary>
    /// The calls' rows after tries that have rows of their own. A row changes only while the try is its latest; what this returns must be
    /// called once the group has run, and tells which tries were. After a further try only money is corrected.
    /// </summary>
    static Func<HashSet<Guid>> MoveCalls(LedgerSession session, StatementGroup group, List<OutcomeEntry> changed)
    {
        List<StatementGroup.Reading<Guid>> moved = [];
        foreach (var byWay in changed.GroupBy(outcome => outcome.Decision!.Next == Next.Later))
            moved.Add(group.Query(byWay.Key ? CallsLater(session, [.. byWay]) : CallsAfter(session, [.. byWay]), row => row.GetGuid(0)));
        return () => [.. moved.SelectMany(part => part.Rows)];
    }

    /// <summary>Not billed or not sent: the reservation stays, and so does what the call falls back to. A try that was never written does not count.</summary>
    static Statement CallsLater(LedgerSession session, List<OutcomeEntry> outcomes)
    {
        var rows = new RowSet<OutcomeEntry>(outcomes)
            .With("call", outcome => outcome.Call.CallKey).With("try", outcome => outcome.TryId).With("late", IsLate)
            .With("why", outcome => outcome.Outcome is null ? null : outcome.Decision!.Reason).With("unsent", outcome => outcome.Outcome is null ? 1 : 0);
        return Statement.About(rows, $"""
            UPDATE paid_call SET state = 'Planned', reason = CASE WHEN fallback_state IS NULL THEN why ELSE reason END, tries = tries - unsent, {TryStatements.Gone}
            FROM {session.Rows(rows, "told")} WHERE call_key = call AND try_id = try AND {IsLatest}
            RETURNING try_id
            """);
    }

    static Statement CallsAfter(LedgerSession session, List<OutcomeEntry> outcomes)
    {
        var rows = Told(new RowSet<OutcomeEntry>(outcomes)).With("charged", SpentDelta).With("late", IsLate).With("paid", PaidDelta)
            .With("fallback", outcome => IsReplanned(outcome) ? outcome.Decision!.CallState : null);
        return Statement.About(rows, $"""
            UPDATE paid_call SET {AsTold(session, rows)}, fallback_state = fallback, paid_tries = paid_tries + paid, {TryStatements.Gone}
            FROM {session.Rows(rows, "told")} WHERE call_key = call AND try_id = try AND {IsLatest}
            RETURNING try_id
            """);
    }

    /// <summary>What an outcome tells of its call.</summary>
    static RowSet<OutcomeEntry> Told(RowSet<OutcomeEntry> rows) => rows
        .With("call", outcome => outcome.Call.CallKey).With("try", outcome => outcome.TryId)
        .With("new_state", outcome => IsReplanned(outcome) ? CallStates.Planned : outcome.Decision!.CallState).With("why", outcome => outcome.Decision!.Reason)
        .With("invalid", outcome => outcome.Outcome is { Class: OutcomeClass.Billed, Invalid: true } ? 1 : 0)
        .With("new_text", TextOf).With("new_hash", outcome => TextOf(outcome) is { } text ? CallKey.HashOfText(text) : null)
        .With("sources", outcome => outcome.Outcome is { Sources.Count: > 0 } told ? JsonSerializer.Serialize(told.Sources, AssayJson.Options) : null)
        .With("searched", outcome => outcome.Outcome?.SearchUsed).With("model_told", outcome => outcome.Outcome?.ServedModel).With("surface_told", outcome => outcome.Outcome?.Surface)
        .With("took_ms", outcome => outcome.Outcome?.ResponseTimeMs).With("tokens_in", outcome => outcome.Outcome?.InputTokens).With("tokens_out", outcome => outcome.Outcome?.OutputTokens)
        .With("cached", outcome => outcome.Outcome?.CacheHit ?? false).With("raw", outcome => outcome.Outcome?.RawHash);

    /// <summary>The columns of a call that follow from <see cref="Told"/> and from what it is <c>charged</c>.</summary>
    static string AsTold(LedgerSession session, RowSet rows) => $"""
        state = new_state, reason = why, reserved_micro_usd = 0, owner = NULL, spent_micro_usd = spent_micro_usd + charged, invalid_tries = invalid_tries + invalid,
            text = {CallStatements.UnlessErased("new_text")}, text_hash = new_hash, sources_json = {CallStatements.UnlessErased("sources")}, search_used = searched, served_model = model_told, surface = surface_told,
            response_time_ms = took_ms, input_tokens = tokens_in, output_tokens = tokens_out, cache_hit = cached, raw_hash = raw, answered_at = CASE WHEN new_state IN ('Answered', 'Refused', 'Empty') THEN {session.ClockIn(rows)} END
        """;

    /// <summary>"The call still stands where its try left it", beside rows that say whether the outcome came late.</summary>
    const string IsLatest = "((NOT late AND state = 'Sending') OR (late AND (state = 'InDoubt' OR (state = 'Planned' AND fallback_state = 'InDoubt' AND owner IS NULL))))";

    static bool IsLate(OutcomeEntry entry) => entry.Settled!.IsLate;

    static bool IsReplanned(OutcomeEntry entry) => entry.Decision!.Next == Next.Replan;

    static string? TextOf(OutcomeEntry entry) => IsReplanned(entry) ? null : entry.Outcome?.Text;

    async Task HaltForOverrunAsync(LedgerSession session, IAnnounce announce, List<OutcomeEntry> changed, DateTime now, CancellationToken cancellationToken)
    {
        var worst = changed.MaxBy(outcome => outcome.Decision!.ChargedMicroUsd - outcome.Settled!.Reserved)!;
        var reason = $"PriceBoundBroken: call {worst.Call.CallKey} to engine '{worst.Call.Engine.Name}' was charged {worst.Decision!.ChargedMicroUsd} micro-dollars, its reservation was {worst.Settled!.Reserved}. Correct the prices in Engines__{worst.Call.Engine.Name}__*, then resume.";
        PriceBoundBroken(logger, worst.Call.AuditId, reason);
        if (await session.ExecuteAsync(
            new Statement("UPDATE spending_halt SET halted = 1, reason = $1, halted_by = 'gateway', halted_at = $2 WHERE id = 1 AND halted = 0").With(reason).With(now), cancellationToken) == 1)
            await announce.PublishAsync(new SpendingHalted { Reason = reason, HaltedBy = "gateway", HaltedAt = now }, cancellationToken);
    }

    /// <summary>Adds the intents that may go to the group. What this returns must be called once the group has run.</summary>
    static Action StoreIntents(LedgerSession session, StatementGroup group, List<IntentEntry> intents, Dictionary<Guid, BudgetView> budgets, Gate gate)
    {
        List<IntentEntry> allowed = [];
        foreach (var intent in intents)
        {
            intent.Verdict = gate switch
            {
                { OwnerIsAlive: false } => Verdict.OwnerLost,
                _ when intent.Call.Owner != gate.Owner => Verdict.OwnerLost,
                { Halted: true } => Verdict.Halted,
                _ when !budgets.TryGetValue(intent.Call.AuditId, out var budget) || !budget.IsLive(intent.Call.Attempt) => Verdict.Over,
                _ when gate.Now >= intent.Call.DeadlineAt => Verdict.Over,
                _ => Verdict.Send,
            };
            if (intent.Verdict == Verdict.Send)
                allowed.Add(intent);
        }

        if (allowed.Count == 0)
            return () => { };
        var rows = new RowSet<IntentEntry>([.. allowed.OrderBy(intent => intent.Call.CallKey, StringComparer.Ordinal)])
            .With("call", intent => intent.Call.CallKey).With("try", intent => intent.TryId).With("taker", intent => intent.Call.Owner).With("for_attempt", intent => intent.Call.Attempt)
            .With("is_permitted", intent => intent.Call.IsPermitted ? 1 : 0).With("paid_on", intent => budgets[intent.Call.AuditId].Day!);
        var sending = group.Query(Statement.About(rows, $"""
            UPDATE paid_call SET state = 'Sending', try_id = try, tries = tries + 1, permitted_attempt = CASE WHEN fallback_state = 'InDoubt' THEN attempt ELSE permitted_attempt END,
                sent_at = $1, sent_by = taker, permitted = is_permitted, day = paid_on
            FROM {session.Rows(rows, "intended", values: 1)} WHERE call_key = call AND state = 'Planned' AND owner = taker AND attempt = for_attempt
            RETURNING try_id
            """).With(gate.Now), row => row.GetGuid(0));
        return () =>
        {
            // Only a row that really moved is sent.
            foreach (var intent in allowed.ExceptBy(sending.Rows, intent => intent.TryId))
                intent.Verdict = Verdict.Gone;
        };
    }

    [LoggerMessage(LogLevel.Error, "The ledger cannot be written ({Entries} intents and outcomes wait, failure {Failure}); nothing is sent until it can. Check the gateway's database.")]
    static partial void FlushFailed(ILogger logger, int entries, int failure, Exception exception);

    [LoggerMessage(LogLevel.Warning, "A commit of {Entries} intents and outcomes ended without an answer: outcomes are applied again, intents are taken back")]
    static partial void CommitUnknown(ILogger logger, int entries, Exception exception);

    [LoggerMessage(LogLevel.Error, "The ledger refuses to store call {CallKey} of audit {AuditId} after {Failures} tries: an answer is now stored without its text as Empty(UnreadableAnswer) with its price, an intent is dropped. Report this with the exception.")]
    static partial void EntryRefused(ILogger logger, string callKey, Guid auditId, int failures, Exception exception);

    [LoggerMessage(LogLevel.Critical, "Spending is halted after audit {AuditId}: {Reason}")]
    static partial void PriceBoundBroken(ILogger logger, Guid auditId, string reason);
}

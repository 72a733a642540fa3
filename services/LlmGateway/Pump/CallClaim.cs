using System.Data.Common;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

/// <summary>Takes calls of one engine, in turn over the audits that have any, and reserves their worst case in the same transaction.</summary>
sealed class CallClaim(LedgerTransactions transactions, GatewayOwner owner, GatewayMeters meters)
{
    sealed record Candidate(string Key, Guid AuditId, int Attempt, string RequestJson, long WorstCase, int TokenBound, int Tries, int InvalidTries, string? FallbackState, int PermittedAttempt, DateTime DeadlineAt);

    /// <param name="Calls">Calls that are reserved and owned now.</param>
    /// <param name="WaitForMoney">Audits whose next call would fit once open reservations settle.</param>
    public sealed record Result(IReadOnlyList<ClaimedCall> Calls, IReadOnlyCollection<Guid> WaitForMoney);

    /// <summary>By engine: the audit that was served last. The next one by id is served first.</summary>
    readonly Dictionary<string, Guid> _served = new(StringComparer.Ordinal);

    /// <summary>Calls of claims whose commit ended without an answer: they may be this owner's, and no lane has them.</summary>
    readonly List<ClaimedCall> _unsure = [];

    /// <param name="engine">The engine.</param>
    /// <param name="wanted">How many calls at most.</param>
    /// <param name="cancellationToken">Ends the claim.</param>
    public async Task<Result> RunAsync(EngineDefinition engine, int wanted, CancellationToken cancellationToken)
    {
        HashSet<Guid> waiting = [];
        var seen = new HashSet<Guid>();
        if (_unsure.Count > 0)
        {
            await GiveBackAsync(_unsure, cancellationToken);
            _unsure.Clear();
        }

        while (true)
        {
            var chosen = await ChooseAsync(engine.Name, _served.GetValueOrDefault(engine.Name), wanted, cancellationToken);
            if (chosen.Count == 0)
                return new([], waiting);
            _served[engine.Name] = chosen[^1].AuditId;
            var result = await ReserveAsync(engine, chosen, cancellationToken);
            foreach (var call in result.Calls)
                meters.Reserved(engine.Name, call.ReservedMicroUsd);
            waiting.UnionWith(result.WaitForMoney);
            // Audits that wait for money must not keep the others waiting: their turn is passed on, once around.
            if (result.Calls.Count > 0 || chosen.Count < wanted || !chosen.Aggregate(false, (isNew, call) => seen.Add(call.AuditId) || isNew))
                return new(result.Calls, waiting);
        }
    }

    async Task<Result> ReserveAsync(EngineDefinition engine, IReadOnlyList<(string Key, Guid AuditId)> chosen, CancellationToken cancellationToken)
    {
        var (reserved, committing) = (new Result([], []), false);
        try
        {
            return await transactions.RunAsync(async (session, announce, token) => reserved = await ReserveAsync(session, announce, engine, chosen, token), cancellationToken, () => committing = true);
        }
        catch when (committing)
        {
            _unsure.AddRange(reserved.Calls);
            throw;
        }
    }

    /// <summary>Gives unsent calls back, to be taken by another instance.</summary>
    public Task GiveBackAsync(IReadOnlyList<ClaimedCall> calls, CancellationToken cancellationToken) => transactions.RunAsync(async (session, _, token) =>
    {
        foreach (var owned in calls.GroupBy(call => call.Owner))
            await session.ReleaseAsync([.. owned.Select(call => new OwnedCall(call.CallKey, call.AuditId, call.Attempt, call.ReservedMicroUsd))], CallStatements.ReturnPlanned, token, owned.Key);
    }, cancellationToken);

    /// <summary>
    /// Reads without locks, in turn over the audits: the calls of the audit after the one served last, in the order of its questions, then
    /// those of the next. Whole turns keep a claim, and the flushes after it, to few audits' rows.
    /// </summary>
    Task<IReadOnlyList<(string Key, Guid AuditId)>> ChooseAsync(string engine, Guid served, int wanted, CancellationToken cancellationToken) =>
        transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement($"SELECT * FROM ({Planned(">")}) following UNION ALL SELECT * FROM ({Planned("<=")}) from_the_first LIMIT $3").With(engine).With(served).With(wanted), row => (row.GetString(0), row.GetGuid(1)), token), cancellationToken);

    static string Planned(string side) =>
        $"SELECT call_key, audit_id FROM paid_call WHERE engine = $1 AND audit_id {side} $2 AND state = 'Planned' AND owner IS NULL ORDER BY audit_id, planned_at, position LIMIT $3";

    async Task<Result> ReserveAsync(LedgerSession session, IAnnounce announce, EngineDefinition engine, IReadOnlyList<(string Key, Guid AuditId)> chosen, CancellationToken cancellationToken)
    {
        var locks = new StatementGroup();
        var lockedBudgets = session.LockBudgets(locks, chosen.Select(call => call.AuditId), share: false);
        var lockedSpending = session.LockSpending(locks, chosen.Select(call => Scopes.Audit(call.AuditId)));
        var candidates = locks.Query(
            new Statement($"""
                SELECT call_key, audit_id, attempt, request_json, worst_case_micro_usd, token_bound, tries, invalid_tries, fallback_state, permitted_attempt, deadline_at
                FROM paid_call WHERE {session.In("call_key", 1)} AND {CallStatements.IsPlanned} AND owner IS NULL ORDER BY call_key{session.SkipLocked}
                """).With(chosen.Select(call => call.Key).ToArray()), ReadCandidate);
        var askedNow = session.AskNow(locks);
        await session.RunAsync(locks, cancellationToken);
        var now = askedNow();
        var budgets = lockedBudgets.Rows.ToDictionary(budget => budget.AuditId);
        var spending = lockedSpending.Rows.ToDictionary(row => row.Scope, StringComparer.Ordinal);
        var calls = candidates.Rows.ToDictionary(call => call.Key, StringComparer.Ordinal);
        // Calls reserve inside their audit's allocation. Tree and day, which everybody shares, are locked only if an allocation may have to grow.
        var growing = calls.Values.GroupBy(call => call.AuditId)
            .Where(own => own.Sum(call => call.WorstCase) > budgets[own.Key].AllocatedMicroUsd - budgets[own.Key].ReservedMicroUsd && budgets[own.Key].Day is not null)
            .Select(own => budgets[own.Key]).ToList();
        foreach (var (scope, row) in await session.LockSpendingAsync(growing.SelectMany(budget => budget.ScopesOf()), cancellationToken))
            spending[scope] = row;

        var moves = new MoneyMoves();
        List<ClaimedCall> claimed = [];
        List<(string Key, string Reason)> declined = [];
        HashSet<Guid> waiting = [];
        var running = budgets.ToDictionary(budget => budget.Key, budget => (Allocated: budget.Value.AllocatedMicroUsd, Reserved: budget.Value.ReservedMicroUsd));
        foreach (var (key, auditId) in chosen)
        {
            if (!calls.TryGetValue(key, out var call) || waiting.Contains(auditId))
                continue;
            var budget = budgets[auditId];
            if (!budget.IsLive(call.Attempt))
            {
                declined.Add((key, CallReasons.AuditClosed));
                continue;
            }

            if (now >= call.DeadlineAt)
            {
                declined.Add((key, CallReasons.DeadlinePassed));
                continue;
            }

            var (audit, tree, day) = (Scopes.Audit(auditId), Scopes.Tree(budget.TrackingId), Scopes.Day(budget.Day!));
            SpendingView[] shared = spending.TryGetValue(tree, out var treeView) && spending.TryGetValue(day, out var dayView) ? [treeView, dayView] : [];
            var decision = ReservationDecision.Of(call.WorstCase, running[auditId].Allocated, running[auditId].Reserved, spending[audit], shared);
            switch (decision.Verdict)
            {
                case Reservation.Decline:
                    declined.Add((key, CallReasons.CeilingReached));
                    break;
                case Reservation.Wait:
                    waiting.Add(auditId);
                    break;
                default:
                    if (decision.Grow > 0)
                    {
                        moves.Allocate(budget, budget.Day!, decision.Grow);
                        spending[tree] = spending[tree] with { Reserved = spending[tree].Reserved + decision.Grow };
                        spending[day] = spending[day] with { Reserved = spending[day].Reserved + decision.Grow };
                    }

                    moves.Reserve(budget, call.WorstCase);
                    running[auditId] = (running[auditId].Allocated + decision.Grow, running[auditId].Reserved + call.WorstCase);
                    spending[audit] = spending[audit] with { Reserved = spending[audit].Reserved + call.WorstCase };
                    claimed.Add(Claimed(engine, call, budget.TraceParent));
                    break;
            }
        }

        var group = new StatementGroup();
        var verify = moves.Write(session, group);
        var taken = claimed.Count == 0 ? null : group.Execute(Take(session, claimed));
        foreach (var reason in declined.GroupBy(call => call.Reason, call => call.Key, StringComparer.Ordinal))
            group.Execute(CallStatements.DeclinePlanned(session, [.. reason], reason.Key));
        var end = session.EndBatchesOfCalls(group, announce, [.. declined.Select(call => call.Key)]);
        await session.RunAsync(group, cancellationToken);
        verify();
        if (taken is not null && taken.Changed != claimed.Count)
            throw new InvalidOperationException("A locked call could not be taken; the claim is rolled back and made again. If this repeats, the gateway's database was edited while it ran.");
        await end(cancellationToken);
        return new(claimed, waiting);
    }

    static Statement Take(LedgerSession session, IReadOnlyList<ClaimedCall> calls)
    {
        var rows = new RowSet<ClaimedCall>(calls).With("call", call => call.CallKey).With("taken_by", call => call.Owner).With("reserved", call => call.ReservedMicroUsd);
        return Statement.About(rows, $"UPDATE paid_call SET owner = taken_by, reserved_micro_usd = reserved FROM {session.Rows(rows, "taken")} WHERE call_key = call AND {CallStatements.IsPlanned} AND owner IS NULL");
    }

    ClaimedCall Claimed(EngineDefinition engine, Candidate call, string? traceParent)
    {
        var permitted = call.FallbackState == CallStates.InDoubt;
        return new ClaimedCall
        {
            CallKey = call.Key,
            AuditId = call.AuditId,
            Attempt = call.Attempt,
            Owner = owner.Current,
            Engine = engine,
            Request = engine.Engine.Render(JsonSerializer.Deserialize<EngineRequest>(call.RequestJson, AssayJson.Options)!),
            ReservedMicroUsd = call.WorstCase,
            TokenBound = call.TokenBound,
            DeadlineAt = call.DeadlineAt,
            TraceParent = traceParent,
            Tries = call.Tries,
            InvalidTries = call.InvalidTries,
            IsPermitted = permitted,
            PermissionUsed = permitted || call.PermittedAttempt >= call.Attempt,
        };
    }

    static Candidate ReadCandidate(DbDataReader row) => new(
        row.GetString(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetInt64(4), row.GetInt32(5), row.GetInt32(6), row.GetInt32(7), row.TextOrNull(8), row.GetInt32(9), row.Utc(10));
}

using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Engines;
using Assay.LlmGateway.LeaseSweep;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.Pump;

/// <summary>Takes calls of one engine, in turn over the audits that have any, and reserves their worst case in the same transaction.</summary>
sealed class CallClaim(LedgerTransactions transactions, GatewayOwner owner, RememberedCalls remembered, GatewayMeters meters)
{
    /// <summary>How many calls a look into the ledger finds at most: a few claims' worth.</summary>
    const int MostOfALook = 256;

    /// <summary>While there are remembered calls the ledger is looked into this often for others: what only it knows must not wait for them.</summary>
    static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    sealed record Candidate(string Key, Guid AuditId, int Attempt, string RequestJson, long WorstCase, int TokenBound, int Tries, int InvalidTries, string? FallbackState, int PermittedAttempt, DateTime DeadlineAt);

    /// <param name="Calls">Calls that are reserved and owned now.</param>
    /// <param name="WaitForMoney">Audits whose next call would fit once open reservations settle.</param>
    /// <param name="HasLeft">Whether calls that were planned were not taken: the ledger must be looked into again for them.</param>
    /// <param name="HasSeenAll">Whether the ledger was looked into and has no calls that are not remembered now.</param>
    public sealed record Result(IReadOnlyList<ClaimedCall> Calls, IReadOnlyCollection<Guid> WaitForMoney, bool HasLeft, bool HasSeenAll);

    /// <summary>By engine: when the ledger was looked into, and the last audit that was found. The next look begins with the one after it.</summary>
    readonly Dictionary<string, (long At, Guid Last)> _looks = new(StringComparer.Ordinal);

    /// <summary>Calls of claims whose commit ended without an answer: they may be this owner's, and no lane has them.</summary>
    readonly List<ClaimedCall> _unsure = [];

    /// <param name="engine">The engine.</param>
    /// <param name="wanted">How many calls at most.</param>
    /// <param name="mayLook">Whether the ledger may hold calls that are not remembered.</param>
    /// <param name="cancellationToken">Ends the claim.</param>
    public async Task<Result> RunAsync(EngineDefinition engine, int wanted, bool mayLook, CancellationToken cancellationToken)
    {
        HashSet<Guid> waiting = [];
        var (hasLeft, hasSeenAll) = (false, false);
        _unsure.AddRange(remembered.TakeUnconfirmed());
        if (_unsure.Count > 0)
        {
            await GiveBackAsync(_unsure, cancellationToken);
            _unsure.Clear();
            // Nobody's and nowhere remembered: the next look finds them.
            hasLeft = true;
        }

        if (mayLook && (!remembered.HasAny(engine.Name) || !_looks.TryGetValue(engine.Name, out var look) || Stopwatch.GetElapsedTime(look.At) >= LookInterval))
            hasSeenAll = await LookAsync(engine.Name, cancellationToken);
        while (true)
        {
            var chosen = remembered.Take(engine.Name, wanted, passedOver: waiting);
            if (chosen.Count == 0)
                return new([], waiting, hasLeft, hasSeenAll);
            // What a dead owner had is planned anew by the sweep, and claimed like any other.
            var owned = chosen.Select(call => call.Owned).OfType<ClaimedCall>().Where(call => call.Owner == owner.Current).ToList();
            var unowned = chosen.Where(call => call.Owned?.Owner != owner.Current).ToList();
            var result = unowned.Count == 0 ? new(owned, [], HasLeft: false, HasSeenAll: false) : await ReserveAsync(engine, owned, unowned, cancellationToken);
            waiting.UnionWith(result.WaitForMoney);
            hasLeft |= result.HasLeft;
            // Audits that wait for money must not keep the others waiting: their turn is passed on, and the next look finds them again.
            if (result.Calls.Count > 0)
                return new(result.Calls, waiting, hasLeft, hasSeenAll);
        }
    }

    async Task<Result> ReserveAsync(EngineDefinition engine, IReadOnlyList<ClaimedCall> owned, IReadOnlyList<Remembered> unowned, CancellationToken cancellationToken)
    {
        var (reserved, committing) = (new Result([], [], HasLeft: false, HasSeenAll: false), false);
        try
        {
            await transactions.RunAsync(async (session, announce, token) => reserved = await ReserveAsync(session, announce, engine, unowned, token), cancellationToken, () => committing = true);
        }
        catch
        {
            remembered.Add(owned);
            if (committing)
                _unsure.AddRange(reserved.Calls);
            throw;
        }

        foreach (var call in reserved.Calls)
            meters.Reserved(engine.Name, call.ReservedMicroUsd);
        return reserved with { Calls = [.. owned, .. reserved.Calls] };
    }

    /// <summary>Gives unsent calls back, to be taken by another instance.</summary>
    public Task GiveBackAsync(IReadOnlyList<ClaimedCall> calls, CancellationToken cancellationToken)
    {
        foreach (var call in calls)
            call.Batch?.LoseCount();
        return transactions.RunAsync(async (session, _, token) =>
        {
            foreach (var owned in calls.GroupBy(call => call.Owner))
                await session.ReleaseAsync([.. owned.Select(call => new OwnedCall(call.CallKey, call.AuditId, call.Attempt, call.ReservedMicroUsd))], CallStatements.ReturnPlanned, token, owned.Key);
        }, cancellationToken);
    }

    /// <summary>
    /// Reads without locks and remembers, in turn over the audits: the calls of the audit after the last one seen, in the order of its batches
    /// and their questions, then those of the next.
    /// </summary>
    /// <returns>Whether all there are are remembered now.</returns>
    async Task<bool> LookAsync(string engine, CancellationToken cancellationToken)
    {
        var last = _looks.GetValueOrDefault(engine).Last;
        var found = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement($"SELECT * FROM ({Planned(">")}) following UNION ALL SELECT * FROM ({Planned("<=")}) from_the_first LIMIT $3").With(engine).With(last).With(MostOfALook),
            row => (Key: row.GetString(0), AuditId: row.GetGuid(1)), token), cancellationToken);
        var isAll = found.Count < MostOfALook;
        foreach (var audit in found.GroupBy(call => call.AuditId, call => call.Key))
        {
            isAll &= remembered.Add(engine, audit.Key, [.. audit]);
            last = audit.Key;
        }

        _looks[engine] = (Stopwatch.GetTimestamp(), last);
        return isAll;
    }

    static string Planned(string side) =>
        $"""
        SELECT q.call_key, b.audit_id FROM {CallStatements.OpenCalls}
        WHERE b.engine = $1 AND b.audit_id {side} $2 AND c.state = 'Planned' AND c.owner IS NULL
        ORDER BY b.audit_id, b.received_at, b.batch_id, q.position LIMIT $3
        """;

    async Task<Result> ReserveAsync(LedgerSession session, IAnnounce announce, EngineDefinition engine, IReadOnlyList<Remembered> chosen, CancellationToken cancellationToken)
    {
        var (taker, locks) = (owner.Current, new StatementGroup());
        var lockedBudgets = session.LockBudgets(locks, chosen.Select(call => call.AuditId), share: false);
        var lockedSpending = session.LockSpending(locks, chosen.Select(call => Scopes.Audit(call.AuditId)));
        var candidates = locks.Query(
            new Statement($"""
                SELECT call_key, audit_id, attempt, request_json, worst_case_micro_usd, token_bound, tries, invalid_tries, fallback_state, permitted_attempt, deadline_at
                FROM paid_call WHERE {session.In("call_key", 1)} AND state = 'Planned' AND owner IS NULL ORDER BY call_key{session.SkipLocked}
                """).With(chosen.Select(call => call.Key).ToArray()), ReadCandidate);
        var asked = GatewayOwner.AskIsAlive(session, locks, taker);
        await session.RunAsync(locks, cancellationToken);
        if (asked() is not { } now)
            return new([], [], HasLeft: true, HasSeenAll: false);
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
        // Two batches may ask the same question.
        foreach (var (key, auditId, _) in chosen.DistinctBy(call => call.Key))
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
                    claimed.Add(Claimed(taker, engine, call, budget.TraceParent));
                    break;
            }
        }

        var group = new StatementGroup();
        var verify = moves.Write(session, group, areLocked: true);
        var taken = claimed.Count == 0 ? null : group.Execute(Take(session, claimed));
        foreach (var reason in declined.GroupBy(call => call.Reason, call => call.Key, StringComparer.Ordinal))
            group.Execute(CallStatements.DeclinePlanned(session, [.. reason], reason.Key));
        var end = session.EndBatches(group, announce, declined.Select(call => calls[call.Key].AuditId));
        await session.RunAsync(group, cancellationToken);
        verify();
        if (taken is not null && taken.Changed != claimed.Count)
            throw new InvalidOperationException("A locked call could not be taken; the claim is rolled back and made again. If this repeats, the gateway's database was edited while it ran.");
        await end(cancellationToken);
        return new(claimed, waiting, HasLeft: waiting.Count > 0 || calls.Count < chosen.Count, HasSeenAll: false);
    }

    static Statement Take(LedgerSession session, IReadOnlyList<ClaimedCall> calls)
    {
        var rows = new RowSet<ClaimedCall>(calls).With("call", call => call.CallKey).With("taken_by", call => call.Owner).With("reserved", call => call.ReservedMicroUsd);
        return Statement.About(rows, $"UPDATE paid_call SET owner = taken_by, reserved_micro_usd = reserved FROM {session.Rows(rows, "taken")} WHERE call_key = call AND state = 'Planned' AND owner IS NULL");
    }

    static ClaimedCall Claimed(Guid taker, EngineDefinition engine, Candidate call, string? traceParent)
    {
        var permitted = call.FallbackState == CallStates.InDoubt;
        return new ClaimedCall
        {
            CallKey = call.Key,
            AuditId = call.AuditId,
            Attempt = call.Attempt,
            Owner = taker,
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

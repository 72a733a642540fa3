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

    static readonly Result Nothing = new([], []);

    /// <param name="engine">The engine.</param>
    /// <param name="wanted">How many calls at most.</param>
    /// <param name="turn">Grows with every claim, so that another audit is first each time.</param>
    /// <param name="cancellationToken">Ends the claim.</param>
    public async Task<Result> RunAsync(EngineDefinition engine, int wanted, int turn, CancellationToken cancellationToken)
    {
        var keys = await ChooseAsync(engine.Name, wanted, turn, cancellationToken);
        if (keys.Count == 0)
            return Nothing;
        var result = await transactions.RunAsync((session, announce, token) => ReserveAsync(session, announce, engine, keys, token), cancellationToken);
        foreach (var call in result.Calls)
            meters.Reserved(engine.Name, call.ReservedMicroUsd);
        return result;
    }

    /// <summary>Gives unsent calls back, to be taken by another instance.</summary>
    public Task GiveBackAsync(IReadOnlyList<ClaimedCall> calls, CancellationToken cancellationToken) => transactions.RunAsync(async (session, _, token) =>
    {
        foreach (var owned in calls.GroupBy(call => call.Owner))
            await session.ReleaseAsync([.. owned.Select(call => new OwnedCall(call.CallKey, call.AuditId, call.Attempt, call.ReservedMicroUsd))], CallStatements.ReturnPlanned, token, owned.Key);
    }, cancellationToken);

    /// <summary>Reads without locks: round robin over audits, each in the order of its questions.</summary>
    Task<IReadOnlyList<(string Key, Guid AuditId)>> ChooseAsync(string engine, int wanted, int turn, CancellationToken cancellationToken) =>
        transactions.ReadAsync<IReadOnlyList<(string, Guid)>>(async (session, token) =>
        {
            var audits = await session.QueryAsync(
                new Statement("SELECT DISTINCT audit_id FROM batch WHERE engine = $1 AND finished_at IS NULL ORDER BY audit_id").With(engine), row => row.GetGuid(0), token);
            if (audits.Count == 0)
                return [];
            var rotated = Enumerable.Range(0, audits.Count).Select(i => audits[(i + turn) % audits.Count]).ToList();
            var perAudit = await session.QueryAsync(
                [.. rotated.Select(audit => new Statement("""
                    SELECT call_key FROM paid_call WHERE engine = $1 AND audit_id = $2 AND state = 'Planned' AND owner IS NULL ORDER BY planned_at, position LIMIT $3
                    """).With(engine).With(audit).With(wanted))],
                row => row.GetString(0), token);
            var rounds = perAudit.SelectMany((keys, i) => keys.Select((key, round) => (Round: round, Turn: i, Key: key)));
            return [.. rounds.OrderBy(key => key.Round).ThenBy(key => key.Turn).Take(wanted).Select(key => (key.Key, rotated[key.Turn]))];
        }, cancellationToken);

    async Task<Result> ReserveAsync(LedgerSession session, IAnnounce announce, EngineDefinition engine, IReadOnlyList<(string Key, Guid AuditId)> chosen, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        var budgets = await session.LockBudgetsAsync(chosen.Select(call => call.AuditId), share: false, cancellationToken);
        var spending = await session.LockSpendingAsync(budgets.Values.SelectMany(budget => budget.ScopesOf()), cancellationToken);
        var calls = (await session.QueryAsync(
                new Statement($"""
                    SELECT call_key, audit_id, attempt, request_json, worst_case_micro_usd, token_bound, tries, invalid_tries, fallback_state, permitted_attempt, deadline_at
                    FROM paid_call WHERE {session.In("call_key", 1)} AND state = 'Planned' AND owner IS NULL ORDER BY call_key{session.SkipLocked}
                    """).With(chosen.Select(call => call.Key).ToArray()), ReadCandidate, cancellationToken))
            .ToDictionary(call => call.Key, StringComparer.Ordinal);

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
            var decision = ReservationDecision.Of(call.WorstCase, running[auditId].Allocated, running[auditId].Reserved, spending[audit], [spending[tree], spending[day]]);
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
                        moves.Allocate(budget, budget.Day!, decision.Grow);
                    moves.Reserve(budget, call.WorstCase);
                    running[auditId] = (running[auditId].Allocated + decision.Grow, running[auditId].Reserved + call.WorstCase);
                    spending[audit] = spending[audit] with { Reserved = spending[audit].Reserved + call.WorstCase };
                    spending[tree] = spending[tree] with { Reserved = spending[tree].Reserved + decision.Grow };
                    spending[day] = spending[day] with { Reserved = spending[day].Reserved + decision.Grow };
                    claimed.Add(Claimed(engine, call));
                    break;
            }
        }

        await moves.WriteAsync(session, cancellationToken);
        var changed = await session.ExecuteAsync(
            [.. claimed.Select(call => new Statement("UPDATE paid_call SET owner = $2, reserved_micro_usd = $3 WHERE call_key = $1 AND state = 'Planned' AND owner IS NULL")
                .With(call.CallKey).With(call.Owner).With(call.ReservedMicroUsd))], cancellationToken);
        if (changed.Any(rows => rows != 1))
            throw new InvalidOperationException("A locked call could not be taken; the claim is rolled back and made again. If this repeats, the gateway's database was edited while it ran.");
        foreach (var reason in declined.GroupBy(call => call.Reason, call => call.Key, StringComparer.Ordinal))
            await session.ExecuteAsync(CallStatements.DeclinePlanned(session, [.. reason], reason.Key), cancellationToken);
        await session.EndBatchesOfCallsAsync(announce, [.. declined.Select(call => call.Key)], cancellationToken);
        return new(claimed, waiting);
    }

    ClaimedCall Claimed(EngineDefinition engine, Candidate call)
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
            Tries = call.Tries,
            InvalidTries = call.InvalidTries,
            IsPermitted = permitted,
            PermissionUsed = permitted || call.PermittedAttempt >= call.Attempt,
        };
    }

    static Candidate ReadCandidate(DbDataReader row) => new(
        row.GetString(0), row.GetGuid(1), row.GetInt32(2), row.GetString(3), row.GetInt64(4), row.GetInt32(5), row.GetInt32(6), row.GetInt32(7), row.TextOrNull(8), row.GetInt32(9), row.Utc(10));
}

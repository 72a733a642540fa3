using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.CloseBudget;
using Assay.LlmGateway.Ledger;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.LeaseSweep;

/// <summary>
/// Clears up behind owners that died and clocks that ran out, independent of messages: what a dead owner was sending is in doubt, what it had
/// only reserved is free again, what is past its deadline is declined, and a budget that nobody closed is closed.
/// </summary>
sealed partial class OwnerSweep(LedgerTransactions transactions, GatewayOwner self, IOwnerLock ownerLock, IOptions<LlmGatewayOptions> options, ILogger<OwnerSweep> logger) : IDisposable
{
    const int MostInOneGo = 200;

    readonly SemaphoreSlim _one = new(1, 1);

    sealed record LostTry(Guid TryId, string CallKey, Guid AuditId, int Attempt, long Reserved, string Day);

    /// <summary>Whether another owner seems to be gone and will be taken for dead if it stays so.</summary>
    public bool IsWatching => ownerLock.IsWatching;

    /// <returns>Whether calls or an owner were cleared up.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await SweepAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        await MarkExpiredAsync(cancellationToken);
        var changed = await SweepTheDeadAsync(cancellationToken);
        int count;
        do
            changed += count = await transactions.RunAsync(DeclineOverdueAsync, cancellationToken);
        while (count == MostInOneGo);
        await CloseForgottenAsync(cancellationToken);
        await EndForgottenBatchesAsync(cancellationToken);
        return changed > 0;
    }

    /// <summary>Takes every owner for dead: an embedded host is the only process on its file, so that whoever came before is gone.</summary>
    public async Task BuryAllAsync(CancellationToken cancellationToken)
    {
        await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET dead_at = $1 WHERE dead_at IS NULL").With(now), token);
        }, cancellationToken);
        await RunAsync(cancellationToken);
    }

    /// <summary>Fences every open attempt: nothing of an earlier process goes on by itself.</summary>
    public async Task CloseAllAsync(CancellationToken cancellationToken)
    {
        var open = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement("SELECT audit_id, attempt FROM audit_budget WHERE state IN ('Open', 'Waiting')"), row => (row.GetGuid(0), row.GetInt32(1)), token), cancellationToken);
        await CloseAsync(open, cancellationToken);
    }

    public void Dispose() => _one.Dispose();

    async Task MarkExpiredAsync(CancellationToken cancellationToken)
    {
        var expired = await transactions.ReadAsync(async (session, token) => await session.QueryAsync(
            new Statement("SELECT owner FROM gateway_instance WHERE dead_at IS NULL AND lease_until < $1").With(await session.NowAsync(token)), row => row.GetGuid(0), token), cancellationToken);
        // Before this process is an owner itself it could take its own row for another's.
        var abandoned = self.IsRegistered ? await ownerLock.FindAbandonedAsync(self.Current, cancellationToken) : [];
        if (expired.Count == 0 && abandoned.Count == 0)
            return;
        await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            // The lease is judged again under the row's lock: a renewal may have come first.
            foreach (var owner in expired)
                if (await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET dead_at = $2 WHERE owner = $1 AND dead_at IS NULL AND lease_until < $2").With(owner).With(now), token) == 1)
                    OwnerDead(logger, owner, "its lease has expired");
            foreach (var owner in abandoned)
                if (await session.ExecuteAsync(new Statement("UPDATE gateway_instance SET dead_at = $2 WHERE owner = $1 AND dead_at IS NULL").With(owner).With(now), token) == 1)
                    OwnerDead(logger, owner, "its process is gone");
        }, cancellationToken);
    }

    /// <summary>
    /// What dead owners were sending, then what they had reserved. An owner that died takes and sends nothing more, for both look at its row
    /// under a lock: one that has nothing left is never looked at again.
    /// </summary>
    async Task<int> SweepTheDeadAsync(CancellationToken cancellationToken)
    {
        var dead = (await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement($"SELECT owner FROM gateway_instance WHERE {IsUnswept} ORDER BY owner"), row => row.GetGuid(0), token), cancellationToken)).ToArray();
        if (dead.Length == 0)
            return 0;
        var (changed, count) = (0, 0);
        do
            changed += count = await transactions.RunAsync((session, announce, token) => SweepTriesAsync(session, announce, dead, token), cancellationToken);
        while (count == MostInOneGo);
        do
            changed += count = await transactions.RunAsync((session, _, token) => SweepReservationsAsync(session, dead, token), cancellationToken);
        while (count == MostInOneGo);
        return changed + await transactions.RunAsync(async (session, _, token) =>
        {
            var now = await session.NowAsync(token);
            return await session.ExecuteAsync(
                new Statement($"UPDATE gateway_instance SET swept_at = $2 WHERE {session.In("owner", 1)} AND {IsUnswept} AND owner NOT IN (SELECT c.owner FROM {CallStatements.OpenCalls} WHERE c.owner IS NOT NULL)").With(dead).With(now), token);
        }, cancellationToken);
    }

    /// <summary>"Is dead, and may still have calls", of an instance.</summary>
    const string IsUnswept = "dead_at IS NOT NULL AND swept_at IS NULL";

    async Task<int> SweepTriesAsync(LedgerSession session, IAnnounce announce, Guid[] dead, CancellationToken cancellationToken)
    {
        var lost = await session.QueryAsync(
            new Statement($"""
                SELECT DISTINCT c.try_id, c.call_key, c.audit_id, c.attempt, c.reserved_micro_usd, c.day FROM {CallStatements.OpenCalls}
                WHERE {session.In("c.owner", 1)} AND c.state = 'Sending' ORDER BY c.try_id LIMIT $2
                """).With(dead).With(MostInOneGo),
            row => new LostTry(row.GetGuid(0), row.GetString(1), row.GetGuid(2), row.GetInt32(3), row.GetInt64(4), row.GetString(5)), cancellationToken);
        if (lost.Count == 0)
            return 0;

        var now = await session.NowAsync(cancellationToken);
        var budgets = await session.LockBudgetsAsync(lost.Select(attempt => attempt.AuditId), share: false, cancellationToken);
        var moved = await session.ExecuteAsync(
            [.. lost.Select(attempt => new Statement($"""
                INSERT INTO paid_try ({TryStatements.Columns})
                SELECT {TryStatements.Of(state: "'InDoubt'", reason: "$3", httpStatus: "NULL", spent: "reserved_micro_usd", endedAt: "$4")} FROM paid_call WHERE call_key = $1 AND try_id = $2 AND state = 'Sending'
                """).With(attempt.CallKey).With(attempt.TryId).With(CallReasons.OwnerLost).With(now))], cancellationToken);
        var doubtful = lost.Where((_, i) => moved[i] == 1).ToList();
        var moves = new MoneyMoves();
        foreach (var attempt in doubtful)
            moves.Settle(budgets[attempt.AuditId], attempt.Attempt, attempt.Day, attempt.Reserved, attempt.Reserved);
        await moves.WriteAsync(session, cancellationToken);
        await session.ExecuteAsync(
            [.. doubtful.OrderBy(attempt => attempt.CallKey, StringComparer.Ordinal).Select(attempt => AfterLoss(attempt, budgets[attempt.AuditId]))], cancellationToken);
        await session.ExecuteAsync(
            [.. doubtful.Where(attempt => budgets[attempt.AuditId] is var budget && attempt.Attempt < budget.Attempt && budget.IsLive(budget.Attempt) && CallDecision.MayAskAgain(budget, budget.Attempt))
                .OrderBy(attempt => attempt.CallKey, StringComparer.Ordinal)
                .Select(attempt => CallStatements.PlanForWaiting(attempt.CallKey, budgets[attempt.AuditId], now))], cancellationToken);
        await session.EndBatchesAsync(announce, doubtful.Select(attempt => attempt.AuditId), cancellationToken);
        foreach (var auditId in doubtful.Select(attempt => attempt.AuditId).Distinct())
            await session.ReportBudgetAsync(announce, auditId, cancellationToken);
        foreach (var audit in doubtful.GroupBy(attempt => attempt.AuditId))
            InDoubt(logger, audit.Count(), audit.Key);
        return lost.Count;
    }

    /// <summary>In doubt; or planned once more, where the audit's policy or an operator permits it and the permission is unused.</summary>
    static Statement AfterLoss(LostTry attempt, BudgetView budget)
    {
        var mayAskAgain = budget.IsLive(attempt.Attempt) && CallDecision.MayAskAgain(budget, attempt.Attempt);
        return new Statement($"""
            UPDATE paid_call SET state = CASE WHEN $4 AND permitted_attempt < attempt THEN 'Planned' ELSE 'InDoubt' END, fallback_state = CASE WHEN $4 AND permitted_attempt < attempt THEN 'InDoubt' ELSE NULL END,
                reason = $3, reserved_micro_usd = 0, owner = NULL, spent_micro_usd = spent_micro_usd + $5, paid_tries = paid_tries + 1, {TryStatements.Gone}
            WHERE call_key = $1 AND try_id = $2 AND state = 'Sending'
            """).With(attempt.CallKey).With(attempt.TryId).With(CallReasons.OwnerLost).With(mayAskAgain).With(attempt.Reserved);
    }

    async Task<int> SweepReservationsAsync(LedgerSession session, Guid[] dead, CancellationToken cancellationToken)
    {
        var owned = await session.QueryAsync(
            new Statement($"""
                SELECT DISTINCT c.call_key, c.audit_id, c.attempt, c.reserved_micro_usd FROM {CallStatements.OpenCalls}
                WHERE {session.In("c.owner", 1)} AND c.state = 'Planned' ORDER BY c.call_key LIMIT $2
                """).With(dead).With(MostInOneGo), CallReleasing.Read, cancellationToken);
        if (owned.Count == 0)
            return 0;
        await session.ReleaseAsync(owned, CallStatements.ReturnPlanned, cancellationToken);
        Returned(logger, owned.Count);
        return owned.Count;
    }

    async Task<int> DeclineOverdueAsync(LedgerSession session, IAnnounce announce, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        // By the open batches that are overdue, of which there are hardly ever any: a call has the deadline of a batch that waits for it.
        var asked = session.InSelected("call_key", "SELECT batch_call.call_key FROM batch JOIN batch_call ON batch_call.batch_id = batch.batch_id WHERE batch.finished_at IS NULL AND batch.deadline_at <= $1");
        var overdue = await session.QueryAsync(
            new Statement($"SELECT call_key, audit_id, attempt, reserved_micro_usd FROM paid_call WHERE {asked} AND state = 'Planned' AND deadline_at <= $1 ORDER BY call_key LIMIT $2").With(now).With(MostInOneGo),
            CallReleasing.Read, cancellationToken);
        if (overdue.Count == 0)
            return 0;
        await session.ReleaseAsync(overdue, (own, keys) => CallStatements.DeclinePlanned(own, keys, CallReasons.DeadlinePassed), cancellationToken);
        await session.EndBatchesAsync(announce, overdue.Select(call => call.AuditId), cancellationToken);
        return overdue.Count;
    }

    async Task CloseForgottenAsync(CancellationToken cancellationToken)
    {
        var forgotten = await transactions.ReadAsync(async (session, token) => await session.QueryAsync(
            new Statement("SELECT audit_id, attempt FROM audit_budget WHERE state IN ('Open', 'Waiting') AND deadline_at < $1").With(await session.NowAsync(token) - options.Value.CloseAfterDeadline),
            row => (row.GetGuid(0), row.GetInt32(1)), token), cancellationToken);
        foreach (var (auditId, attempt) in forgotten)
            Forgotten(logger, auditId, attempt, options.Value.CloseAfterDeadline);
        await CloseAsync(forgotten, cancellationToken);
    }

    async Task CloseAsync(IReadOnlyList<(Guid AuditId, int Attempt)> budgets, CancellationToken cancellationToken)
    {
        foreach (var (auditId, attempt) in budgets)
            await transactions.RunAsync(async (session, announce, token) =>
            {
                await session.CloseBudgetAsync(announce, auditId, attempt, token);
                await session.ReportBudgetAsync(announce, auditId, token);
            }, cancellationToken);
    }

    /// <summary>The fallback behind every path that decides calls: no batch stays open with nothing left to decide.</summary>
    async Task EndForgottenBatchesAsync(CancellationToken cancellationToken)
    {
        var audits = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement($"SELECT DISTINCT audit_id FROM batch WHERE finished_at IS NULL AND {BatchEnding.IsDecided}"), row => row.GetGuid(0), token), cancellationToken);
        foreach (var auditId in audits)
            await transactions.RunAsync(async (session, announce, token) =>
            {
                await session.LockBudgetsAsync([auditId], share: false, token);
                await session.EndBatchesAsync(announce, [auditId], token);
            }, cancellationToken);
    }

    [LoggerMessage(LogLevel.Warning, "Owner {Owner} is dead: {Why}")]
    static partial void OwnerDead(ILogger logger, Guid owner, string why);

    [LoggerMessage(LogLevel.Warning, "{Tries} tries of audit {AuditId}, of dead owners, are in doubt now; each counts as spent at its worst case")]
    static partial void InDoubt(ILogger logger, int tries, Guid auditId);

    [LoggerMessage(LogLevel.Information, "{Calls} unsent calls of dead owners are free to be taken again")]
    static partial void Returned(ILogger logger, int calls);

    [LoggerMessage(LogLevel.Warning, "Closing the budget of audit {AuditId}, attempt {Attempt}: its deadline passed more than {Grace} ago and nobody closed it")]
    static partial void Forgotten(ILogger logger, Guid auditId, int attempt, TimeSpan grace);
}

using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.AskEngine;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.CloseBudget;

/// <summary>
/// The fence. Whoever closes an attempt – the saga, the next attempt, or the sweep – does it here: planned calls are declined, what is not
/// on the wire returns, and from the commit on no call of the attempt becomes <c>Sending</c>.
/// </summary>
static class BudgetClosing
{
    /// <summary>Closes every attempt up to this one. Changes nothing if that is done already.</summary>
    public static async Task<bool> CloseBudgetAsync(this LedgerSession session, IAnnounce announce, Guid auditId, int attempt, CancellationToken cancellationToken)
    {
        var now = await session.NowAsync(cancellationToken);
        // A close may overtake the opening it belongs to: it leaves a closed row behind, and wins.
        await session.ExecuteAsync(
            new Statement("""
                INSERT INTO audit_budget (audit_id, tracking_id, attempt, closed_attempt, state, ceiling_micro_usd, tree_ceiling_micro_usd, planned_calls, worst_case_micro_usd, answers_worst_micro_usd,
                    insights_worst_micro_usd, allocated_micro_usd, reserved_micro_usd, deadline_at, in_doubt_policy, ask_again_attempt, queue_number, requested_at, ledger_sequence, report_version)
                VALUES ($1, $1, $2, $2, 'Closed', 0, 0, 0, 0, 0, 0, 0, 0, $3, $4, 0, 0, $3, 0, 0) ON CONFLICT (audit_id) DO NOTHING
                """).With(auditId).With(attempt).With(now).With(InDoubtPolicies.Keep), cancellationToken);
        var budget = (await session.LockBudgetsAsync([auditId], share: false, cancellationToken))[auditId];
        if (budget.ClosedAttempt >= attempt)
            return false;

        var planned = await session.QueryAsync(
            new Statement($"SELECT call_key, reserved_micro_usd FROM paid_call WHERE audit_id = $1 AND state = 'Planned' AND attempt <= $2 ORDER BY call_key{session.ForUpdate}").With(auditId).With(attempt),
            row => (Key: row.GetString(0), Reserved: row.GetInt64(1)), cancellationToken);
        var moves = new MoneyMoves();
        if (budget.State == BudgetStates.Open)
            moves.Close(budget, planned.Sum(call => call.Reserved));
        // Tree and day, which everybody shares, are locked as late as can be: under its budget's lock nobody else touches the audit's rows.
        var group = new StatementGroup();
        group.Execute(CallStatements.DeclinePlanned(session, [.. planned.Select(call => call.Key)], CallReasons.AuditClosed));
        var verify = moves.Write(session, group);
        group.Execute(new Statement("UPDATE audit_budget SET state = 'Closed', closed_attempt = $2, attempt = CASE WHEN attempt < $2 THEN $2 ELSE attempt END WHERE audit_id = $1").With(auditId).With(attempt));
        await session.RunAsync(group, cancellationToken);
        verify();
        await session.EndBatchesAsync(announce, [auditId], cancellationToken);
        return true;
    }
}

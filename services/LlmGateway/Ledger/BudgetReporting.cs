using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Ledger;

/// <summary>Tells the others what an audit's money looks like now.</summary>
static class BudgetReporting
{
    public static async Task ReportBudgetAsync(this LedgerSession session, IAnnounce announce, Guid auditId, CancellationToken cancellationToken)
    {
        // One round trip: whoever reports has often just moved money, and everybody waits for the rows of tree and day until it commits.
        var group = new StatementGroup();
        var askedNow = session.AskNow(group);
        var budget = group.Query(
            new Statement("UPDATE audit_budget SET report_version = report_version + 1 WHERE audit_id = $1 RETURNING attempt, closed_attempt, report_version, ceiling_micro_usd, trace_parent").With(auditId),
            row => (Attempt: row.GetInt32(0), Closed: row.GetInt32(1), Version: row.GetInt64(2), Ceiling: row.GetInt64(3), TraceParent: row.TextOrNull(4)));
        var spending = group.Query(
            new Statement("SELECT ceiling_micro_usd, reserved_micro_usd, spent_micro_usd, overrun_micro_usd FROM spending WHERE scope = $1").With(Scopes.Audit(auditId)),
            row => (Ceiling: row.GetInt64(0), Reserved: row.GetInt64(1), Spent: row.GetInt64(2), Overrun: row.GetInt64(3)));
        var tries = group.Query(
            new Statement("""
                SELECT CAST(COALESCE(SUM(CASE WHEN state = 'InDoubt' THEN spent_micro_usd ELSE 0 END), 0) AS BIGINT), COUNT(CASE WHEN state = 'InDoubt' THEN 1 END)
                FROM paid_try WHERE audit_id = $1
                """).With(auditId),
            row => (InDoubtMicroUsd: row.GetInt64(0), InDoubt: row.GetInt64(1)));
        var calls = group.Query(
            new Statement("SELECT COUNT(CASE WHEN state <> 'Planned' THEN 1 END), COUNT(CASE WHEN state = 'Sending' THEN 1 END), CAST(COALESCE(SUM(paid_tries), 0) AS BIGINT) FROM paid_call WHERE audit_id = $1").With(auditId),
            row => (Known: row.GetInt64(0), Sending: row.GetInt64(1), Paid: row.GetInt64(2)));
        var reused = group.Query(
            new Statement("""
                SELECT COUNT(*) FROM batch_call JOIN batch ON batch.batch_id = batch_call.batch_id
                WHERE batch.audit_id = $1 AND batch.attempt = (SELECT attempt FROM audit_budget WHERE audit_id = $1) AND batch_call.reused = 1
                """).With(auditId), row => row.GetInt64(0));
        await session.RunAsync(group, cancellationToken);
        if (budget.Rows.Count == 0)
            return;
        var (attempt, closed, version, ceiling, traceParent) = budget.Rows[0];
        var money = spending.Rows.Count > 0 ? spending.Rows[0] : (ceiling, 0, 0, 0);

        using var reporting = AuditTrace.GoOn("report budget", traceParent);
        await announce.PublishAsync(new BudgetReported
        {
            AuditId = auditId,
            Attempt = attempt,
            Version = version,
            CeilingMicroUsd = money.Item1,
            ReservedMicroUsd = money.Item2,
            SpentMicroUsd = money.Item3,
            OverrunMicroUsd = money.Item4,
            InDoubtMicroUsd = tries.Rows[0].InDoubtMicroUsd,
            Calls = (int)calls.Rows[0].Known,
            PaidTries = (int)calls.Rows[0].Paid,
            InDoubt = (int)tries.Rows[0].InDoubt,
            Reused = (int)reused.Rows[0],
            Final = closed >= attempt && calls.Rows[0].Sending == 0,
            At = askedNow(),
        }, cancellationToken);
    }
}

using System.Data.Common;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.LlmGateway.Ledger;

/// <summary>Tells the others what an audit's money looks like now.</summary>
static class BudgetReporting
{
    public static async Task ReportBudgetAsync(this LedgerSession session, IAnnounce announce, Guid auditId, CancellationToken cancellationToken)
    {
        var group = new StatementGroup();
        var report = session.ReportBudget(group, auditId);
        await session.RunAsync(group, cancellationToken);
        await report(announce, cancellationToken);
    }

    /// <summary>The same as a part of a group. What this returns must be called once the group has run: it publishes the report.</summary>
    public static Func<IAnnounce, CancellationToken, Task> ReportBudget(this LedgerSession session, StatementGroup group, Guid auditId)
    {
        var budget = group.Query(
            new Statement($"UPDATE audit_budget SET report_version = report_version + 1 WHERE audit_id = $1 RETURNING attempt, closed_attempt, report_version, ceiling_micro_usd, trace_parent, {session.Clock}").With(auditId),
            row => new ReportedBudget(row.GetInt32(0), row.GetInt32(1), row.GetInt64(2), row.GetInt64(3), row.TextOrNull(4), session.ReadClock(row, 5)));
        var figures = group.Query(
            new Statement("""
                SELECT s.reserved_micro_usd, s.spent_micro_usd, s.overrun_micro_usd, s.ceiling_micro_usd, c.known, c.sending, c.paid, t.in_doubt_micro_usd, t.in_doubt, r.reused
                FROM (SELECT COUNT(CASE WHEN state <> 'Planned' THEN 1 END) AS known, COUNT(CASE WHEN state = 'Sending' THEN 1 END) AS sending, CAST(COALESCE(SUM(paid_tries), 0) AS BIGINT) AS paid
                      FROM paid_call WHERE audit_id = $1) c
                CROSS JOIN (SELECT CAST(COALESCE(SUM(CASE WHEN state = 'InDoubt' THEN spent_micro_usd ELSE 0 END), 0) AS BIGINT) AS in_doubt_micro_usd, COUNT(CASE WHEN state = 'InDoubt' THEN 1 END) AS in_doubt
                            FROM paid_try WHERE audit_id = $1) t
                CROSS JOIN (SELECT COUNT(*) AS reused FROM batch_call JOIN batch ON batch.batch_id = batch_call.batch_id
                            WHERE batch.audit_id = $1 AND batch.attempt = (SELECT attempt FROM audit_budget WHERE audit_id = $1) AND batch_call.reused = 1) r
                LEFT JOIN spending s ON s.scope = $2
                """).With(auditId).With(Scopes.Audit(auditId)), ReadFigures);
        return async (announce, cancellationToken) =>
        {
            if (budget.Rows is [var its])
                await PublishAsync(announce, auditId, its, figures.Rows[0], cancellationToken);
        };
    }

    sealed record ReportedBudget(int Attempt, int ClosedAttempt, long Version, long Ceiling, string? TraceParent, DateTime At);

    /// <summary>Sums over an audit's calls and tries, and its row of <c>spending</c>, whose ceiling is null if there is none yet.</summary>
    sealed record Figures(long? Ceiling, long Reserved, long Spent, long Overrun, long Known, long Sending, long PaidTries, long InDoubtMicroUsd, long InDoubt, long Reused);

    static Figures ReadFigures(DbDataReader row)
    {
        var (ceiling, reserved, spent, overrun) = row.IsDBNull(3) ? (null, 0, 0, 0) : ((long?)row.GetInt64(3), row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
        return new(ceiling, reserved, spent, overrun, row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9));
    }

    static async Task PublishAsync(IAnnounce announce, Guid auditId, ReportedBudget budget, Figures figures, CancellationToken cancellationToken)
    {
        using var reporting = AuditTrace.GoOn("report budget", budget.TraceParent);
        await announce.PublishAsync(new BudgetReported
        {
            AuditId = auditId,
            Attempt = budget.Attempt,
            Version = budget.Version,
            CeilingMicroUsd = figures.Ceiling ?? budget.Ceiling,
            ReservedMicroUsd = figures.Reserved,
            SpentMicroUsd = figures.Spent,
            OverrunMicroUsd = figures.Overrun,
            InDoubtMicroUsd = figures.InDoubtMicroUsd,
            Calls = (int)figures.Known,
            PaidTries = (int)figures.PaidTries,
            InDoubt = (int)figures.InDoubt,
            Reused = (int)figures.Reused,
            Final = budget.ClosedAttempt >= budget.Attempt && figures.Sending == 0,
            At = budget.At,
        }, cancellationToken);
    }
}

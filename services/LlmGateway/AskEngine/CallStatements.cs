using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>Statements about calls that several use cases share.</summary>
static class CallStatements
{
    /// <summary>The calls of all open batches, as <c>c</c> beside the batch <c>b</c> and the question <c>q</c>: every call that is planned or on the wire is one of them.</summary>
    public const string OpenCalls = "batch b JOIN batch_call q ON q.batch_id = b.batch_id AND b.finished_at IS NULL JOIN paid_call c ON c.call_key = q.call_key";

    /// <summary>
    /// Gives up calls that are planned: they become what they were before they were planned again, or <c>Declined</c> with this reason.
    /// Their reservations must be released in the same transaction.
    /// </summary>
    public static Statement DeclinePlanned(LedgerSession session, string[] callKeys, string reason) =>
        new Statement($"""
            UPDATE paid_call SET reason = CASE WHEN fallback_state IS NULL THEN $2 ELSE reason END, state = COALESCE(fallback_state, 'Declined'), fallback_state = NULL, reserved_micro_usd = 0, owner = NULL
            WHERE {session.In("call_key", 1)} AND state = 'Planned'
            """).With(callKeys).With(reason);

    /// <summary>Gives calls back unsent, to be taken by any instance. Their reservations must be released in the same transaction.</summary>
    public static Statement ReturnPlanned(LedgerSession session, string[] callKeys) =>
        new Statement($"UPDATE paid_call SET reserved_micro_usd = 0, owner = NULL WHERE {session.In("call_key", 1)} AND state = 'Planned'").With(callKeys);

    /// <summary>What stands as the request of a call whose audit was deleted.</summary>
    const string ErasedRequest = """{"text":"","purpose":"erased"}""";

    /// <summary>Lets go what was asked and answered of an audit's calls; hashes and amounts stay. A planned call is left alone: what it asks is still to be sent.</summary>
    public static Statement Erase(Guid auditId) =>
        new Statement("UPDATE paid_call SET text = NULL, sources_json = NULL, request_json = $2 WHERE audit_id = $1 AND state <> 'Planned' AND request_json <> $2").With(auditId).With(ErasedRequest);

    /// <summary>A value for a call's row, and none if its audit was deleted: an outcome may come after that.</summary>
    public static string UnlessErased(string value) => $"CASE WHEN request_json <> '{ErasedRequest}' THEN {value} END";

    /// <summary>
    /// Gives a call that an earlier attempt's try has left to the live attempt, if a batch of it waits: unbilled it is planned anew, in doubt it
    /// is planned only with a permission that is unused. Otherwise it stays what it is.
    /// </summary>
    public static Statement PlanForWaiting(string callKey, BudgetView budget, DateTime now) =>
        new Statement("""
            UPDATE paid_call SET attempt = w.attempt, deadline_at = w.deadline_at, planned_at = $4, reason = CASE WHEN state = 'InDoubt' THEN reason END,
                fallback_state = CASE WHEN state = 'InDoubt' THEN 'InDoubt' END, state = 'Planned'
            FROM (SELECT b.attempt, MAX(b.deadline_at) AS deadline_at FROM batch b JOIN batch_call q ON q.batch_id = b.batch_id
                  WHERE b.audit_id = $5 AND b.attempt = $2 AND b.finished_at IS NULL AND q.call_key = $1 GROUP BY b.attempt) w
            WHERE call_key = $1 AND (state = 'Declined' OR (state = 'InDoubt' AND $3 AND permitted_attempt < w.attempt))
            """).With(callKey).With(budget.Attempt).With(CallDecision.MayAskAgain(budget, budget.Attempt)).With(now).With(budget.AuditId);
}

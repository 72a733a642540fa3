namespace Assay.LlmGateway.Ledger;

/// <summary>
/// Where tries are. A try on the wire, and a paid one that decided its call, are columns of the call's row; every other one is moved to
/// <c>paid_try</c> as it ends. <c>every_try</c> shows all of them.
/// </summary>
static class TryStatements
{
    /// <summary>The columns of a try that ends in a row of its own.</summary>
    public const string Columns =
        "try_id, call_key, audit_id, attempt, owner, number, engine, permitted, state, reason, http_status, reserved_micro_usd, spent_micro_usd, day, sent_at, ended_at, spent_before_micro_usd";

    /// <summary>Their values, from the call's row while the try is on the wire.</summary>
    public static string Of(string state, string reason, string httpStatus, string spent, string endedAt) =>
        $"try_id, call_key, audit_id, attempt, sent_by, tries, engine, permitted, {state}, {reason}, {httpStatus}, reserved_micro_usd, {spent}, day, sent_at, {endedAt}, 0";

    /// <summary>The call's row has no try of its own any more.</summary>
    public const string Gone = "sent_at = NULL, sent_by = NULL, permitted = 0, http_status = NULL, try_spent_micro_usd = 0, day = NULL";

    /// <summary>
    /// The tries sent since <c>$1</c>, as a table: those in their calls by the audits that have a batch open or had one since, for a batch ends
    /// after its last try was sent; the others by their own index.
    /// </summary>
    public static string SentSince(LedgerSession session) =>
        $"""
        (SELECT call_key, audit_id, engine, state, worst_case_micro_usd AS reserved_micro_usd, try_spent_micro_usd AS spent_micro_usd, sent_at FROM paid_call
         WHERE {session.InSelected("audit_id", "SELECT audit_id FROM batch WHERE finished_at IS NULL UNION SELECT audit_id FROM batch WHERE finished_at > $1")} AND sent_at > $1
         UNION ALL SELECT call_key, audit_id, engine, state, reserved_micro_usd, spent_micro_usd, sent_at FROM paid_try WHERE sent_at > $1)
        """;
}

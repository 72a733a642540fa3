using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>Statements about calls that several use cases share.</summary>
static class CallStatements
{
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
}

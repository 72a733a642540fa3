using System.Data.Common;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>A planned call as it was read without its lock.</summary>
sealed record OwnedCall(string CallKey, Guid AuditId, int Attempt, long Reserved);

/// <summary>Takes reservations away from calls that are not on the wire.</summary>
static class CallReleasing
{
    /// <summary>Releases what planned calls have reserved, as their rows say under their locks, and changes them by one statement.</summary>
    /// <param name="owner">Only what this owner still has; null for whoever has it.</param>
    public static async Task ReleaseAsync(this LedgerSession session, IReadOnlyList<OwnedCall> calls, Func<LedgerSession, string[], Statement> change, CancellationToken cancellationToken, Guid? owner = null)
    {
        var budgets = await session.LockBudgetsAsync(calls.Select(call => call.AuditId), share: false, cancellationToken);
        var select = new Statement($"SELECT call_key, audit_id, attempt, reserved_micro_usd FROM paid_call WHERE {session.In("call_key", 1)} AND state = 'Planned'{(owner is null ? "" : " AND owner = $2")} ORDER BY call_key{session.ForUpdate}")
            .With(calls.Select(call => call.CallKey).ToArray());
        var locked = await session.QueryAsync(owner is { } one ? select.With(one) : select, Read, cancellationToken);
        var moves = new MoneyMoves();
        foreach (var call in locked.Where(call => call.Reserved > 0))
            moves.Release(budgets[call.AuditId], call.Attempt, budgets[call.AuditId].Day!, call.Reserved);
        var group = new StatementGroup();
        group.Execute(change(session, [.. locked.Select(call => call.CallKey)]));
        var verify = moves.Write(session, group);
        await session.RunAsync(group, cancellationToken);
        verify();
    }

    public static OwnedCall Read(DbDataReader row) => new(row.GetString(0), row.GetGuid(1), row.GetInt32(2), row.GetInt64(3));
}

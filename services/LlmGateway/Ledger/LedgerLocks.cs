using System.Data.Common;

namespace Assay.LlmGateway.Ledger;

/// <summary>
/// Reading rows under their locks, in the one order that every transaction keeps: advisory lock, instance, budgets by audit. Under its
/// budget's lock nobody else touches an audit's calls, tries and batches. The scopes come by their text and as late as can be, for
/// everybody shares those of tree and day.
/// </summary>
static class LedgerLocks
{
    const string BudgetColumns =
        "audit_id, tracking_id, attempt, closed_attempt, state, allocated_micro_usd, reserved_micro_usd, day, deadline_at, in_doubt_policy, ask_again_attempt, pins_json, phase, answers_worst_micro_usd, insights_worst_micro_usd, trace_parent, worst_case_micro_usd <= ceiling_micro_usd";

    /// <summary>The budgets of these audits, locked so that no other transaction changes them; absent ones are absent.</summary>
    public static async Task<Dictionary<Guid, BudgetView>> LockBudgetsAsync(this LedgerSession session, IEnumerable<Guid> auditIds, bool share, CancellationToken cancellationToken)
    {
        var ids = auditIds.Distinct().ToArray();
        if (ids.Length == 0)
            return [];
        var rows = await session.QueryAsync(SelectBudgets(session, ids, share), ReadBudget, cancellationToken);
        return rows.ToDictionary(budget => budget.AuditId);
    }

    /// <summary>The same as a part of a group.</summary>
    public static StatementGroup.Reading<BudgetView> LockBudgets(this LedgerSession session, StatementGroup group, IEnumerable<Guid> auditIds, bool share) =>
        group.Query(SelectBudgets(session, [.. auditIds.Distinct()], share), ReadBudget);

    static Statement SelectBudgets(LedgerSession session, Guid[] ids, bool share) =>
        new Statement($"SELECT {BudgetColumns} FROM audit_budget WHERE {session.In("audit_id", 1)} ORDER BY audit_id{(share ? session.ForShare : session.ForUpdate)}").With(ids);

    /// <summary>The rows of these scopes, locked in their order; absent ones are absent.</summary>
    public static async Task<Dictionary<string, SpendingView>> LockSpendingAsync(this LedgerSession session, IEnumerable<string> scopes, CancellationToken cancellationToken)
    {
        var names = scopes.Distinct(StringComparer.Ordinal).ToArray();
        if (names.Length == 0)
            return new(StringComparer.Ordinal);
        var rows = await session.QueryAsync(SelectSpending(session, names), ReadSpending, cancellationToken);
        return rows.ToDictionary(row => row.Scope, StringComparer.Ordinal);
    }

    /// <summary>The same as a part of a group.</summary>
    public static StatementGroup.Reading<SpendingView> LockSpending(this LedgerSession session, StatementGroup group, IEnumerable<string> scopes) =>
        group.Query(SelectSpending(session, [.. scopes.Distinct(StringComparer.Ordinal)]), ReadSpending);

    static Statement SelectSpending(LedgerSession session, string[] names) =>
        new Statement($"SELECT scope, ceiling_micro_usd, reserved_micro_usd, spent_micro_usd FROM spending WHERE {session.In("scope", 1)} ORDER BY scope{session.ForUpdate}").With(names);

    static SpendingView ReadSpending(DbDataReader row) => new(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));

    /// <summary>The scopes of a budget's attempt.</summary>
    public static IEnumerable<string> ScopesOf(this BudgetView budget, string? day = null)
    {
        yield return Scopes.Audit(budget.AuditId);
        yield return Scopes.Tree(budget.TrackingId);
        if ((day ?? budget.Day) is { } known)
            yield return Scopes.Day(known);
    }

    static BudgetView ReadBudget(DbDataReader row) => new()
    {
        AuditId = row.GetGuid(0),
        TrackingId = row.GetGuid(1),
        Attempt = row.GetInt32(2),
        ClosedAttempt = row.GetInt32(3),
        State = row.GetString(4),
        AllocatedMicroUsd = row.GetInt64(5),
        ReservedMicroUsd = row.GetInt64(6),
        Day = row.TextOrNull(7),
        DeadlineAt = row.Utc(8),
        InDoubtPolicy = row.GetString(9),
        AskAgainAttempt = row.GetInt32(10),
        PinsJson = row.TextOrNull(11),
        Phase = row.TextOrNull(12),
        AnswersWorstMicroUsd = row.GetInt64(13),
        InsightsWorstMicroUsd = row.GetInt64(14),
        TraceParent = row.TextOrNull(15),
        PaysForAll = row.GetBoolean(16),
    };
}

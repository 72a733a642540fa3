using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;
using Assay.LlmGateway.Quote;
using Assay.LlmGateway.Restore;
using Microsoft.Extensions.Options;

namespace Assay.LlmGateway.OpenBudget;

/// <summary>Takes a waiting budget's money from tree and day, or says why not, in one transaction.</summary>
sealed class BudgetOpening(LedgerContinuity continuity, IOptions<LlmGatewayOptions> options)
{
    sealed record WaitingBudget(long Ceiling, long TreeCeiling, long WorstCase, int PlannedCalls);

    /// <summary>Decides about a budget that waits; the caller holds its row's lock or comes first. Publishes the answer if there is one.</summary>
    /// <returns>The scope it waits for; null if it is decided or not waiting.</returns>
    public async Task<string?> TryOpenAsync(LedgerSession session, IAnnounce announce, Guid auditId, IReadOnlySet<string> blocked, CancellationToken cancellationToken)
    {
        // Everybody waits for the day's row from the second round trip on: what can be read before is, and the rest goes in one more.
        var first = new StatementGroup();
        var askedNow = session.AskNow(first);
        var locked = session.LockBudgets(first, [auditId], share: false);
        var asked = first.Query(
            new Statement("SELECT ceiling_micro_usd, tree_ceiling_micro_usd, worst_case_micro_usd, planned_calls FROM audit_budget WHERE audit_id = $1").With(auditId),
            row => new WaitingBudget(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt32(3)));
        // What earlier attempts have answered.
        var answered = first.Query(
            new Statement("SELECT CAST(COALESCE(SUM(worst_case_micro_usd), 0) AS BIGINT) FROM paid_call WHERE audit_id = $1 AND state IN ('Answered', 'Refused', 'Empty')").With(auditId),
            row => row.GetInt64(0));
        await session.RunAsync(first, cancellationToken);
        if (locked.Rows is not [{ State: BudgetStates.Waiting } budget])
            return null;
        using var opening = AuditTrace.GoOn("open budget", budget.TraceParent);
        var (now, waiting) = (askedNow(), asked.Rows[0]);
        var day = Scopes.DayOf(now);
        var (rows, ceilings) = await LockScopesAsync(session, budget, waiting, day, cancellationToken);
        SpendingView[] shared = [rows[Scopes.Day(day)], rows[Scopes.Tree(budget.TrackingId)]];
        var needed = Needed(waiting, answered.Rows[0], rows[Scopes.Audit(auditId)], shared);
        var decision = AllocationDecision.Of(needed, shared, blocked);
        switch (decision.Verdict)
        {
            case Allocation.Wait:
                await session.RunAsync(ceilings, cancellationToken);
                return decision.Scope;
            case Allocation.Refuse:
                await session.RunAsync(ceilings, cancellationToken);
                var scope = shared.First(scope => scope.Scope == decision.Scope);
                await RefuseAsync(session, announce, budget, BudgetJudgement.SpentOut(scope.Scope, scope.Ceiling, scope.Spent, needed), cancellationToken);
                return null;
            default:
                await OpenAsync(session, ceilings, announce, budget, waiting, day, needed, now, cancellationToken);
                return null;
        }
    }

    public static async Task RefuseAsync(LedgerSession session, IAnnounce announce, BudgetView budget, Refusal refusal, CancellationToken cancellationToken)
    {
        await session.ExecuteAsync(
            new Statement("UPDATE audit_budget SET state = 'Refused', refusal_reason = $2, refusal_detail = $3 WHERE audit_id = $1").With(budget.AuditId).With(refusal.Reason).With(refusal.Detail), cancellationToken);
        await announce.PublishAsync(new BudgetRefused { AuditId = budget.AuditId, Attempt = budget.Attempt, Reason = refusal.Reason, Detail = refusal.Detail }, cancellationToken);
    }

    /// <summary>Answers a repeated request with what was decided.</summary>
    public static async Task RepeatAsync(LedgerSession session, IAnnounce announce, BudgetView budget, CancellationToken cancellationToken)
    {
        if (budget.State == BudgetStates.Open)
        {
            var (plannedCalls, worst, allocated, sequence) = (await session.QueryAsync(
                new Statement("SELECT planned_calls, worst_case_micro_usd, allocated_micro_usd, ledger_sequence FROM audit_budget WHERE audit_id = $1").With(budget.AuditId),
                row => (row.GetInt32(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken))[0];
            await announce.PublishAsync(Opened(budget, plannedCalls, worst, allocated, sequence), cancellationToken);
        }
        else if (budget.State == BudgetStates.Refused)
        {
            var (reason, detail) = (await session.QueryAsync(
                new Statement("SELECT refusal_reason, refusal_detail FROM audit_budget WHERE audit_id = $1").With(budget.AuditId), row => (row.GetString(0), row.GetString(1)), cancellationToken))[0];
            await announce.PublishAsync(new BudgetRefused { AuditId = budget.AuditId, Attempt = budget.Attempt, Reason = reason, Detail = detail }, cancellationToken);
        }
    }

    /// <summary>Makes the rows that are missing and locks them. The statements that move their ceilings are for the caller to run with what it decides.</summary>
    async Task<(Dictionary<string, SpendingView> Rows, StatementGroup Ceilings)> LockScopesAsync(LedgerSession session, BudgetView budget, WaitingBudget waiting, string day, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<string, long>(StringComparer.Ordinal)
        {
            [Scopes.Audit(budget.AuditId)] = waiting.Ceiling,
            [Scopes.Tree(budget.TrackingId)] = waiting.TreeCeiling,
            [Scopes.Day(day)] = MicroUsd.FromUsd(options.Value.DailyCeilingUsd),
        };
        var group = new StatementGroup();
        foreach (var (scope, ceiling) in wanted.OrderBy(scope => scope.Key, StringComparer.Ordinal))
            group.Execute(new Statement("INSERT INTO spending (scope, ceiling_micro_usd, reserved_micro_usd, spent_micro_usd, overrun_micro_usd) VALUES ($1, $2, 0, 0, 0) ON CONFLICT (scope) DO NOTHING").With(scope).With(ceiling));
        var locked = session.LockSpending(group, wanted.Keys);
        await session.RunAsync(group, cancellationToken);
        var rows = locked.Rows.ToDictionary(row => row.Scope, StringComparer.Ordinal);

        var ceilings = new StatementGroup();
        foreach (var (scope, ceiling) in wanted)
        {
            var row = rows[scope];
            // An audit's and a tree's ceiling only rise; the day's follows its setting, but never below what is spent or promised.
            var next = scope.StartsWith("day:", StringComparison.Ordinal) ? Math.Max(ceiling, row.Reserved + row.Spent) : Math.Max(ceiling, row.Ceiling);
            if (next == row.Ceiling)
                continue;
            ceilings.Execute(new Statement("UPDATE spending SET ceiling_micro_usd = $2 WHERE scope = $1").With(scope).With(next));
            rows[scope] = row with { Ceiling = next };
        }

        return (rows, ceilings);
    }

    /// <summary>What this attempt may still cost at worst: its plan without what earlier attempts have answered, under its own ceiling and those of tree and day.</summary>
    static long Needed(WaitingBudget waiting, long answered, SpendingView audit, IReadOnlyList<SpendingView> shared) =>
        Math.Min(Math.Min(Math.Max(0, waiting.WorstCase - answered), audit.Free), shared.Min(scope => scope.Ceiling));

    async Task OpenAsync(LedgerSession session, StatementGroup group, IAnnounce announce, BudgetView budget, WaitingBudget waiting, string day, long allocated, DateTime now, CancellationToken cancellationToken)
    {
        var moves = new MoneyMoves();
        moves.Allocate(budget, day, allocated);
        group.Execute(new Statement("UPDATE audit_budget SET state = 'Open', day = $2, opened_at = $3, phase = NULL WHERE audit_id = $1").With(budget.AuditId).With(day).With(now));
        var verify = moves.Write(session, group);
        var known = continuity.Highest;
        var counted = group.Query(new Statement("UPDATE spending_halt SET ledger_sequence = ledger_sequence + 1 WHERE id = 1 RETURNING ledger_sequence"), row => row.GetInt64(0));
        group.Execute(new Statement("UPDATE audit_budget SET ledger_sequence = (SELECT ledger_sequence FROM spending_halt WHERE id = 1) WHERE audit_id = $1").With(budget.AuditId));
        await session.RunAsync(group, cancellationToken);
        verify();
        var sequence = counted.Rows[0];
        if (!continuity.MayOpen(known, sequence))
            throw new InvalidOperationException($"Audit {budget.AuditId} would be budget {sequence} of the ledger, and this process has seen {known}: the gateway's database was restored to an earlier point while it ran. Nothing is sent; run `assay doctor --after-restore`.");
        await announce.PublishAsync(Opened(budget, waiting.PlannedCalls, waiting.WorstCase, allocated, sequence), cancellationToken);
    }

    static BudgetOpened Opened(BudgetView budget, int plannedCalls, long worst, long allocated, long sequence) => new()
    {
        AuditId = budget.AuditId,
        Attempt = budget.Attempt,
        Pins = [.. Pins(budget.PinsJson!).Select(pin => pin.ToContract())],
        PlannedCalls = plannedCalls,
        WorstCaseMicroUsd = worst,
        AllocatedMicroUsd = allocated,
        LedgerSequence = sequence,
    };

    public static IReadOnlyList<PinnedEngine> Pins(string json) => JsonSerializer.Deserialize<List<PinnedEngine>>(json, AssayJson.Options)!;
}

using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Ledger;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway;

/// <summary>What must hold of the ledger's rows after every transaction, whoever crashed before it.</summary>
public static class LedgerInvariants
{
    public static async Task ShouldHoldAsync(LlmGatewayDbContext database)
    {
        // One snapshot: a pump may be running.
        await using var transaction = await database.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var spending = await database.Spending.AsNoTracking().ToDictionaryAsync(row => row.Scope);
        var budgets = await database.AuditBudgets.AsNoTracking().ToListAsync();
        var calls = await database.PaidCalls.AsNoTracking().ToListAsync();
        var tries = await database.PaidTries.AsNoTracking().ToListAsync();
        var asked = await database.Batches.Where(batch => batch.FinishedAt == null).Join(database.Questions, batch => batch.BatchId, question => question.BatchId, (_, question) => question.CallKey).ToListAsync();
        var swept = await database.Instances.Where(instance => instance.SweptAt != null).Select(instance => (Guid?)instance.Owner).ToListAsync();
        await transaction.RollbackAsync();
        calls.Where(call => swept.Contains(call.Owner)).Select(call => call.CallKey).ShouldBeEmpty("a dead owner that was swept takes nothing more");
        ShouldHold(spending, budgets, calls, tries, asked);
    }

    static void ShouldHold(Dictionary<string, Ledger.Spending> spending, List<AuditBudget> budgets, List<PaidCall> calls, List<PaidTry> tries, List<string> asked)
    {
        long Counted(PaidTry attempt) => Math.Min(attempt.ReservedMicroUsd, attempt.SpentMicroUsd);
        bool IsLive(AuditBudget budget, int attempt) => budget.State == BudgetStates.Open && budget.Attempt == attempt && budget.ClosedAttempt < attempt;
        var budgetOf = budgets.ToDictionary(budget => budget.AuditId);

        foreach (var row in spending.Values)
        {
            row.ReservedMicroUsd.ShouldBeGreaterThanOrEqualTo(0, row.Scope);
            (row.ReservedMicroUsd + row.SpentMicroUsd).ShouldBeLessThanOrEqualTo(row.CeilingMicroUsd, row.Scope);
        }

        foreach (var budget in budgets.Where(budget => spending.ContainsKey(Scopes.Audit(budget.AuditId))))
        {
            var mine = calls.Where(call => call.AuditId == budget.AuditId).ToList();
            var row = spending[Scopes.Audit(budget.AuditId)];
            row.ReservedMicroUsd.ShouldBe(mine.Sum(call => call.ReservedMicroUsd), $"reserved of {row.Scope} is what its open calls have reserved");
            row.SpentMicroUsd.ShouldBe(tries.Where(attempt => attempt.AuditId == budget.AuditId).Sum(Counted), $"spent of {row.Scope} is the sum of its tries");
            var live = mine.Where(call => call.State == CallStates.Planned || tries.Any(attempt => attempt.TryId == call.TryId && IsLive(budget, attempt.Attempt))).Sum(call => call.ReservedMicroUsd);
            if (budget.State == BudgetStates.Open)
                budget.ReservedMicroUsd.ShouldBe(live, $"the attempt's reservations of {row.Scope}");
        }

        foreach (var day in spending.Keys.Where(scope => scope.StartsWith("day:", StringComparison.Ordinal)))
        {
            var row = spending[day];
            row.SpentMicroUsd.ShouldBe(tries.Where(attempt => Scopes.Day(attempt.Day) == day).Sum(Counted), $"spent of {day}");
            var allocated = budgets.Where(budget => budget.Day is not null && Scopes.Day(budget.Day) == day).Sum(budget => budget.AllocatedMicroUsd);
            var onTheWire = tries.Where(attempt => attempt.State == TryStates.Sending && Scopes.Day(attempt.Day) == day && !IsLive(budgetOf[attempt.AuditId], attempt.Attempt)).Sum(attempt => attempt.ReservedMicroUsd);
            row.ReservedMicroUsd.ShouldBe(allocated + onTheWire, $"reserved of {day} is what is allocated, and what closed attempts have on the wire");
        }

        foreach (var tree in budgets.GroupBy(budget => Scopes.Tree(budget.TrackingId)).Where(tree => spending.ContainsKey(tree.Key)))
        {
            var audits = tree.Select(budget => budget.AuditId).ToHashSet();
            var onTheWire = tries.Where(attempt => attempt.State == TryStates.Sending && audits.Contains(attempt.AuditId) && !IsLive(budgetOf[attempt.AuditId], attempt.Attempt)).Sum(attempt => attempt.ReservedMicroUsd);
            spending[tree.Key].SpentMicroUsd.ShouldBe(tries.Where(attempt => audits.Contains(attempt.AuditId)).Sum(Counted), $"spent of {tree.Key}");
            spending[tree.Key].ReservedMicroUsd.ShouldBe(tree.Sum(budget => budget.AllocatedMicroUsd) + onTheWire, $"reserved of {tree.Key}");
        }

        calls.Where(call => call.State is CallStates.Planned or CallStates.Sending).Select(call => call.CallKey).Except(asked)
            .ShouldBeEmpty("pump and sweep find calls through the open batches");
        foreach (var call in calls)
        {
            var mine = tries.Where(attempt => attempt.CallKey == call.CallKey).ToList();
            call.SpentMicroUsd.ShouldBe(mine.Sum(attempt => attempt.SpentMicroUsd), $"spent of call {call.CallKey}");
            mine.Count(attempt => attempt.State == TryStates.Sending).ShouldBe(call.State == CallStates.Sending ? 1 : 0, $"tries on the wire of call {call.CallKey}");
            foreach (var attempt in mine.GroupBy(attempt => attempt.Attempt))
            {
                // At most one paid try per key and permission; an unreadable answer may be repeated once.
                var paid = attempt.Count(one => one.State is TryStates.Answered or TryStates.Refused or TryStates.Empty or TryStates.InDoubt);
                paid.ShouldBeLessThanOrEqualTo(1 + attempt.Count(one => one.Permitted != 0) + Math.Min(1, call.InvalidTries), $"paid tries of call {call.CallKey} in attempt {attempt.Key}");
            }
        }
    }
}

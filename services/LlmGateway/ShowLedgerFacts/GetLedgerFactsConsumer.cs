using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Database;
using Assay.LlmGateway.Ledger;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.LlmGateway.ShowLedgerFacts;

/// <summary>Shows a page of budgets to whoever compares the services.</summary>
sealed class GetLedgerFactsConsumer(LlmGatewayDbContext db) : IConsumer<GetLedgerFacts>
{
    public async Task Consume(ConsumeContext<GetLedgerFacts> context)
    {
        var (ids, after) = (context.Message.AuditIds, context.Message.After ?? Guid.Empty);
        var limit = Math.Clamp(context.Message.Limit, 1, CheckIntegrity.MaxPageSize);
        var asked = db.AuditBudgets.AsNoTracking();
        asked = ids is null ? asked.Where(budget => budget.AuditId > after) : asked.Where(budget => ids.Contains(budget.AuditId));
        var budgets = await asked.OrderBy(budget => budget.AuditId).Take(limit)
            .Select(budget => new { budget.AuditId, budget.Attempt, budget.ClosedAttempt, Refused = budget.State == BudgetStates.Refused })
            .ToArrayAsync(context.CancellationToken);
        var scopes = budgets.Select(budget => Scopes.Audit(budget.AuditId)).ToArray();
        var money = await db.Spending.AsNoTracking().Where(spending => scopes.Contains(spending.Scope))
            .ToDictionaryAsync(spending => spending.Scope, StringComparer.Ordinal, context.CancellationToken);
        await context.RespondAsync(new LedgerFacts
        {
            Audits =
            [
                .. from budget in budgets
                   let spending = money.GetValueOrDefault(Scopes.Audit(budget.AuditId))
                   select new LedgerFact
                   {
                       AuditId = budget.AuditId,
                       Attempt = budget.Attempt,
                       ClosedAttempt = budget.ClosedAttempt,
                       Refused = budget.Refused,
                       ReservedMicroUsd = spending?.ReservedMicroUsd ?? 0,
                       SpentMicroUsd = spending?.SpentMicroUsd ?? 0,
                   },
            ],
        });
    }
}

/// <summary>A question that changes nothing needs no inbox.</summary>
sealed class GetLedgerFactsConsumerDefinition : ConsumerDefinition<GetLedgerFactsConsumer>;

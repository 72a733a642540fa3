using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Ledger;

namespace Assay.LlmGateway.AskEngine;

/// <summary>
/// When a phase begins, what only the phases before it could have needed returns to tree and day: for all such audits at once, in a
/// transaction of its own. In the consumer's, everybody would wait for the day's row through all that a batch has to write.
/// </summary>
sealed class PhaseReturn(LedgerTransactions transactions)
{
    /// <summary>Whether questions of this purpose begin a phase; a budget's phase only ever goes on.</summary>
    public static bool Begins(string? phase, string purpose) => phase != purpose && purpose is Purposes.Answer or Purposes.Insight && phase != Purposes.Insight;

    /// <summary>Returns what open budgets hold beyond what their phase and those after it may need.</summary>
    /// <returns>How many gave something back.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var rich = await transactions.ReadAsync((session, token) => session.QueryAsync(
            new Statement("""
                SELECT audit_id FROM audit_budget WHERE state = 'Open' AND allocated_micro_usd > reserved_micro_usd
                    AND ((phase = $1 AND allocated_micro_usd > answers_worst_micro_usd) OR (phase = $2 AND allocated_micro_usd > insights_worst_micro_usd))
                ORDER BY audit_id LIMIT 100
                """).With(Purposes.Answer).With(Purposes.Insight), row => row.GetGuid(0), token), cancellationToken);
        return rich.Count == 0 ? 0 : await transactions.RunAsync(async (session, _, token) =>
        {
            var moves = new MoneyMoves();
            var returned = (await session.LockBudgetsAsync(rich, share: false, token)).Values.Where(budget => budget.State == BudgetStates.Open)
                .Count(budget => moves.ReturnUnused(budget, budget.Phase == Purposes.Insight ? budget.InsightsWorstMicroUsd : budget.AnswersWorstMicroUsd) > 0);
            await moves.WriteAsync(session, token);
            return returned;
        }, cancellationToken);
    }
}

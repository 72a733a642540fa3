using Assay.Contracts.Internal.LlmGateway;

namespace Assay.Dashboard.Projections;

/// <summary>What the ledger answered about an ended audit's money, where its own report is gone.</summary>
sealed record MoneyTold(int Attempt, SpendingScope Scope, long InDoubtMicroUsd, int InDoubt, int Calls, int PaidTries, int Reused)
{
    /// <summary>Null if the ledger knows nothing of the audit.</summary>
    public static MoneyTold? Of(SpendingStatus status, Guid auditId, int attempt, int reused)
    {
        if (status.Scopes.FirstOrDefault(scope => scope.Scope == "audit:" + auditId) is not { } money)
            return null;
        var doubtful = status.InDoubt.Where(call => call.AuditId == auditId).ToList();
        return new MoneyTold(attempt, money, doubtful.Sum(call => call.WorstCaseMicroUsd), doubtful.Count, status.ByDay.Sum(day => day.Tries), status.ByDay.Sum(day => day.PaidTries), reused);
    }
}

using Assay.AuditSaga.Database;
using Assay.Contracts.Internal.LlmGateway;
using Microsoft.EntityFrameworkCore;

namespace Assay.AuditSaga.Spending;

/// <summary>
/// Keeps what the ledger reports of an audit's money by one guarded UPDATE. A third of the messages that reach the saga are such reports, and
/// nothing follows from them but three numbers; the version in the report makes an old or repeated one change nothing, so neither inbox nor
/// saga is needed.
/// </summary>
sealed class SpendingNotes(AuditSagaDbContext database)
{
    /// <summary>Does in the row what <see cref="Audits.AuditState.NoteSpending"/> does in memory.</summary>
    /// <returns>Whether the report was newer than what was known of this audit.</returns>
    public async Task<bool> KeepAsync(BudgetReported report, CancellationToken cancellationToken)
    {
        var newer = database.Audits.Where(audit => audit.CorrelationId == report.AuditId && audit.ReportVersion < report.Version);
        // The row's version moves on too: where sagas are not locked (SQLite), one that was loaded before must look again.
        return await newer.ExecuteUpdateAsync(set => set
            .SetProperty(audit => audit.ReportVersion, report.Version)
            .SetProperty(audit => audit.ReportedMicroUsd, report.SpentMicroUsd)
            .SetProperty(audit => audit.SettledMicroUsd, audit => report.Final ? report.SpentMicroUsd : audit.SettledMicroUsd)
            .SetProperty(audit => audit.Version, audit => audit.Version + 1), cancellationToken) == 1;
    }
}

using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Pruning;

/// <summary>Takes audits that ended long ago out of the tables and leaves a tombstone for each.</summary>
sealed class AuditPruning(AuditSagaDbContext database, IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    /// <summary>Prunes at most so many audits.</summary>
    /// <returns>How many were pruned.</returns>
    public async Task<int> PruneAsync(int limit, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var before = now - options.Value.Retention;
        var old = await database.Audits.AsNoTracking()
            .Where(audit => AuditPhases.Terminal.Contains(audit.CurrentState) && audit.EndedAt < before)
            .OrderBy(audit => audit.EndedAt)
            .Select(audit => new { audit.CorrelationId, audit.CurrentState, audit.EndedAt })
            .Take(limit)
            .ToArrayAsync(cancellationToken);

        // Only the present day's count of forced audits is ever asked for.
        var firstDay = DateOnly.FromDateTime(before);
        await database.ForcedAudits.Where(forced => forced.Day < firstDay).ExecuteDeleteAsync(cancellationToken);

        var pruned = 0;
        foreach (var audit in old)
        {
            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            // Guarded: a retry may have brought it back to life since.
            var deleted = await database.Audits
                .Where(row => row.CorrelationId == audit.CorrelationId && AuditPhases.Terminal.Contains(row.CurrentState) && row.EndedAt < before)
                .ExecuteDeleteAsync(cancellationToken);
            if (deleted == 0)
                continue;
            await database.AuditRequests.Where(row => row.AuditId == audit.CorrelationId).ExecuteDeleteAsync(cancellationToken);
            await database.AuditPlans.Where(row => row.AuditId == audit.CorrelationId).ExecuteDeleteAsync(cancellationToken);
            await database.AuditTransitions.Where(row => row.AuditId == audit.CorrelationId).ExecuteDeleteAsync(cancellationToken);
            await database.Database.ExecuteSqlAsync(
                $"INSERT INTO audit_tombstone (audit_id, state, ended_at, pruned_at) VALUES ({audit.CorrelationId}, {audit.CurrentState}, {audit.EndedAt ?? now}, {now}) ON CONFLICT (audit_id) DO NOTHING",
                cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            pruned++;
        }

        return pruned;
    }
}

using Assay.Dashboard.Database;
using Assay.Dashboard.Operations;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Rebuild;

/// <summary>Where the rebuild of the read model stands.</summary>
/// <param name="Running">Whether one is under way.</param>
/// <param name="Left">Audits that are still to be told anew.</param>
/// <param name="Outcome">What the last one came to, for a reader; null before its end.</param>
public sealed record RebuildState(bool Running, int Left, string? Outcome);

/// <summary>An audit that is to be told anew by the other services.</summary>
sealed class RebuildRow
{
    public Guid AuditId { get; set; }
    public DateTime WantedAt { get; set; }
}

/// <summary>
/// Wants the read model told anew, from the saga's, the ledger's and the analysis's own data. Nothing is emptied for it: an ended audit is
/// marked, answers to the comparison of the services as if it were not here, is told again for that reason, and loses its mark. What cannot
/// be told any more stays as it is. Whatever is missing altogether is told by the same comparison.
/// </summary>
sealed class ReadModelRebuild(DashboardDbContext db, OperatorTrail trail, RebuildSignal signal, TimeProvider time)
{
    /// <summary>The audits a rebuild would tell anew.</summary>
    public Task<int> CountAsync(CancellationToken cancellationToken) => Ended.CountAsync(cancellationToken);

    public async Task<RebuildState> StateAsync(CancellationToken cancellationToken)
    {
        var left = await db.Rebuilds.CountAsync(cancellationToken);
        return new RebuildState(signal.Running || left > 0, left, signal.Outcome);
    }

    /// <summary>Marks every ended audit and sets the work going; gives back how many are marked.</summary>
    public async Task<int> StartAsync(string who, string reason, CancellationToken cancellationToken)
    {
        await trail.RecordAsync(who, "rebuild read model", null, reason, $"{await CountAsync(cancellationToken)} ended audits", cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Rebuilds.ExecuteDeleteAsync(cancellationToken);
        var marked = await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO rebuild (audit_id, wanted_at)
            SELECT audit_id, {now} FROM audit WHERE status IN ('Completed', 'Failed', 'Cancelled', 'Rejected')
            """, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        signal.Begin();
        return marked;
    }

    IQueryable<AuditRow> Ended => db.Audits.AsNoTracking().Where(audit => !ReadStates.Live.Contains(audit.Status));
}

/// <summary>Wakes the service that rebuilds, and says what it is at.</summary>
sealed class RebuildSignal
{
    readonly SemaphoreSlim wanted = new(0, 1);

    public bool Running { get; private set; }

    /// <inheritdoc cref="RebuildState.Outcome"/>
    public string? Outcome { get; private set; }

    public void Begin()
    {
        (Running, Outcome) = (true, null);
        if (wanted.CurrentCount == 0)
            wanted.Release();
    }

    public void End(string outcome) => (Running, Outcome) = (false, outcome);

    public Task WaitAsync(CancellationToken cancellationToken) => wanted.WaitAsync(cancellationToken);
}

using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Spending;

/// <summary>What one audit, or all audits of one tree, cost.</summary>
public sealed record AuditSpending(Guid Id, string? Brand, string? Status, bool Simulated, int Audits, int Calls, int PaidTries, int Reused, int InDoubt, decimal SpentUsd, decimal ReservedUsd, decimal InDoubtUsd, decimal CeilingUsd);

/// <summary>Spending by audit and tree as the ledger reported it to the read model.</summary>
sealed class SpendingReader(DashboardDbContext db)
{
    /// <summary>Trees are looked for among so many of the latest audits.</summary>
    const int Latest = 500;

    const int MostTrees = 20;

    public async Task<Paged<AuditSpending>> AuditsAsync(int page, int pageSize, CancellationToken cancellationToken)
    {
        page = Math.Max(1, page);
        var total = await db.Audits.CountAsync(cancellationToken);
        var rows = await db.Audits.AsNoTracking().OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.AuditId).Skip((page - 1) * pageSize).Take(pageSize)
            .Select(a => new { a.AuditId, a.Brand, a.Status, a.Simulated, a.Calls, a.PaidTries, a.Reused, a.InDoubt, a.SpentMicroUsd, a.ReservedMicroUsd, a.InDoubtMicroUsd, a.CeilingMicroUsd }).ToListAsync(cancellationToken);
        return new Paged<AuditSpending>([.. rows.Select(a => new AuditSpending(a.AuditId, a.Brand, a.Status, a.Simulated, 1, a.Calls, a.PaidTries, a.Reused, a.InDoubt,
            MicroUsd.ToUsd(a.SpentMicroUsd), MicroUsd.ToUsd(a.ReservedMicroUsd), MicroUsd.ToUsd(a.InDoubtMicroUsd), MicroUsd.ToUsd(a.CeilingMicroUsd)))], page, pageSize, total);
    }

    /// <summary>Those of these audits that a retry can go on with.</summary>
    public async Task<IReadOnlySet<Guid>> RetriableAsync(IEnumerable<Guid> auditIds, CancellationToken cancellationToken)
    {
        var ids = auditIds.Distinct().ToList();
        return await db.Audits.AsNoTracking().Where(a => ids.Contains(a.AuditId) && (a.Status == AuditStates.Failed || a.Status == AuditStates.Cancelled)).Select(a => a.AuditId).ToHashSetAsync(cancellationToken);
    }

    /// <summary>Trees of more than one audit, the latest first.</summary>
    public async Task<IReadOnlyList<AuditSpending>> TreesAsync(CancellationToken cancellationToken)
    {
        var children = await db.Audits.AsNoTracking().OrderByDescending(a => a.CreatedAt).Take(Latest).Where(a => a.ParentAuditId != null && a.TrackingId != null).Select(a => a.TrackingId!.Value).ToListAsync(cancellationToken);
        var ids = children.Distinct().Take(MostTrees).ToList();
        if (ids.Count == 0)
            return [];
        var sums = await db.Audits.AsNoTracking().Where(a => a.TrackingId != null && ids.Contains(a.TrackingId.Value)).GroupBy(a => a.TrackingId!.Value).Select(g => new
        {
            Id = g.Key, Audits = g.Count(), Calls = g.Sum(a => a.Calls), PaidTries = g.Sum(a => a.PaidTries), Reused = g.Sum(a => a.Reused), InDoubt = g.Sum(a => a.InDoubt),
            Spent = g.Sum(a => a.SpentMicroUsd), Reserved = g.Sum(a => a.ReservedMicroUsd), Doubt = g.Sum(a => a.InDoubtMicroUsd),
        }).ToListAsync(cancellationToken);
        var roots = await db.Audits.AsNoTracking().Where(a => ids.Contains(a.AuditId)).ToDictionaryAsync(a => a.AuditId, a => new { a.Brand, a.Simulated, a.CeilingMicroUsd, a.RequestJson }, cancellationToken);
        return [.. ids.Join(sums, id => id, sum => sum.Id, (id, sum) => new AuditSpending(id, roots.GetValueOrDefault(id)?.Brand, null, roots.GetValueOrDefault(id)?.Simulated ?? false, sum.Audits, sum.Calls, sum.PaidTries, sum.Reused, sum.InDoubt,
            MicroUsd.ToUsd(sum.Spent), MicroUsd.ToUsd(sum.Reserved), MicroUsd.ToUsd(sum.Doubt), 0))];
    }
}

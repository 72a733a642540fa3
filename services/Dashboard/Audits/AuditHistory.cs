using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Database;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;

namespace Assay.Dashboard.Audits;

/// <summary>An audit's visibility in the course of its brand's audits.</summary>
public sealed record TrendPoint(Guid AuditId, DateTime At, ScoreValue Visibility);

/// <summary>What came before an audit and what changed since.</summary>
/// <param name="Previous">The last completed audit of the same brand and kind before this one.</param>
/// <param name="Compared">The paired comparison with it; null where there is none, or where the Analyzer could not be asked.</param>
/// <param name="Unavailable">Why the comparison could not be had, for a reader.</param>
/// <param name="Trend">The latest audits up to this one, oldest first.</param>
public sealed record AuditPast(AuditStatus? Previous, AuditsCompared? Compared, string? Unavailable, IReadOnlyList<TrendPoint> Trend)
{
    public static readonly AuditPast None = new(null, null, null, []);

    public MetricChange? Change(string metric) => Compared?.Changes.FirstOrDefault(change => change.Metric == metric);
}

/// <summary>Reads the past of an audit. Simulated results are never set beside real ones.</summary>
sealed class AuditHistory(DashboardDbContext db, AuditReader reader, AnalyzerClient analyzer, IMemoryCache cache)
{
    const int Most = 12;
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task<AuditPast> ReadAsync(AuditStatus status, CancellationToken cancellationToken)
    {
        if (status.Status != AuditStates.Completed)
            return AuditPast.None;
        var rows = await db.Audits.AsNoTracking()
            .Where(a => a.Brand == status.Brand && a.Kind == status.Kind && a.Status == AuditStates.Completed && a.Simulated == status.Simulated && a.CreatedAt <= status.RegisteredAt && a.Visibility != null)
            .OrderByDescending(a => a.CreatedAt).Take(Most)
            .Select(a => new { a.AuditId, a.CreatedAt, a.Visibility, a.VisibilityLow, a.VisibilityHigh }).ToListAsync(cancellationToken);
        List<TrendPoint> trend = [.. rows.AsEnumerable().Reverse().Select(a => new TrendPoint(a.AuditId, a.CreatedAt, new ScoreValue { Value = a.Visibility, Low = a.VisibilityLow, High = a.VisibilityHigh }))];
        if (rows.FirstOrDefault(a => a.AuditId != status.AuditId) is not { } before || await reader.StatusAsync(before.AuditId, cancellationToken) is not { } previous)
            return new AuditPast(null, null, null, trend);
        try
        {
            return new AuditPast(previous, await CompareAsync(status, previous, cancellationToken), null, trend);
        }
        catch (TextsUnavailableException exception)
        {
            return new AuditPast(previous, null, exception.Message, trend);
        }
    }

    /// <summary>Completed audits do not change any more: what was compared once stays so until either row does.</summary>
    async Task<AuditsCompared> CompareAsync(AuditStatus later, AuditStatus earlier, CancellationToken cancellationToken)
    {
        var key = (later.AuditId, later.Version, earlier.AuditId, earlier.Version);
        if (cache.TryGetValue(key, out AuditsCompared? known) && known is not null)
            return known;
        var compared = await analyzer.CompareAsync(later.AuditId, earlier.AuditId, cancellationToken, Patience);
        return cache.Set(key, compared, TimeSpan.FromMinutes(30));
    }
}

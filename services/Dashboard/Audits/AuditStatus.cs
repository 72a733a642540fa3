using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Database;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Assay.Dashboard.Audits;

/// <summary>One audit as REST and pages show it.</summary>
public sealed record AuditStatus
{
    public required Guid AuditId { get; init; }
    public required string? Brand { get; init; }
    public required string? Kind { get; init; }

    /// <summary>Requested, one of the audit states, or Rejected. The audit is over when it is Completed, Failed, Cancelled or Rejected.</summary>
    public required string Status { get; init; }

    public required int Attempt { get; init; }

    /// <summary>The live phase, or the phase it ended in.</summary>
    public required string? Phase { get; init; }

    /// <summary>Share of the whole audit done, 0–1.</summary>
    public required double Fraction { get; init; }

    /// <summary>Calls of the panel decided, whatever their outcome; of a completed audit all that were planned.</summary>
    public required int CompletedCalls { get; init; }

    /// <summary>Calls of the panel planned; before there is a plan, all that money was reserved for.</summary>
    public required int PlannedCalls { get; init; }

    public required decimal SpentUsd { get; init; }
    public required decimal ReservedUsd { get; init; }
    public required decimal InDoubtUsd { get; init; }
    public required decimal CeilingUsd { get; init; }
    public required DateTime RegisteredAt { get; init; }
    public required DateTime? DeadlineAt { get; init; }
    public required DateTime? EndedAt { get; init; }
    public required DateTime? LastProgressAt { get; init; }
    public required DateTime? LastHeartbeatAt { get; init; }
    public required string? WaitingFor { get; init; }
    public required DateTime? WaitingUntil { get; init; }
    public required string? Worker { get; init; }
    public required bool Simulated { get; init; }
    public required Guid TrackingId { get; init; }
    public required Guid? ParentAuditId { get; init; }
    public required int Depth { get; init; }
    public required string? RequestedBy { get; init; }
    public required IReadOnlyList<EngineProgress> Engines { get; init; }
    public required IReadOnlyDictionary<string, ScoreValue>? Scores { get; init; }
    public required CoverageCounts? Coverage { get; init; }
    public required string? MetricsVersion { get; init; }
    public required ReportFailure? Failure { get; init; }
    public required AuditRefusal? Rejection { get; init; }

    /// <summary>Whether everything of this attempt's report is in the read model.</summary>
    public required bool ReportReady { get; init; }

    /// <summary>The existing result that stands in for this refused request.</summary>
    public required Guid? ReusedAuditId { get; init; }

    public required IReadOnlyList<ReportTransition> Transitions { get; init; }

    /// <summary>How the attempts that are over ended.</summary>
    public IReadOnlyList<AttemptEnd> AttemptEnds { get; init; } = [];

    public required AuditLinks Links { get; init; }

    /// <summary>Grows with every change; the ETag.</summary>
    public required int Version { get; init; }
}

/// <summary>How far one engine is in the present attempt.</summary>
public sealed record EngineProgress(string Name, int Decided, int Total, string? WaitingFor, DateTime? WaitingUntil);

/// <summary>How one attempt ended; what was spent by then is null where only the saga's transitions still tell of it.</summary>
public sealed record AttemptEnd(int Attempt, string Status, string? Reason, string? Detail, string? Phase, DateTime EndedAt, decimal? SpentUsd);

public sealed record AuditRefusal(string Reason, string? Detail, Guid? ExistingAuditId, DateTime? At);

public sealed record AuditLinks(string Self, string Report, string Events, string Page)
{
    public static AuditLinks Of(Guid auditId) => new($"/api/audits/{auditId}", $"/api/audits/{auditId}/report", $"/api/audits/{auditId}/events", $"/audits/{auditId}");
}

/// <summary>A page of a list.</summary>
public sealed record Paged<T>(IReadOnlyList<T> Items, int Page, int PageSize, int Total)
{
    /// <summary>There are more than <see cref="Total"/>: counting stopped there, far behind this page.</summary>
    public bool TotalIsAtLeast { get; init; }

    public int Pages => Math.Max(1, (Total + PageSize - 1) / PageSize);
}

/// <summary>What a list is narrowed to.</summary>
public sealed record AuditFilter(string? Status = null, string? Brand = null, string? Q = null)
{
    public bool IsEmpty => string.IsNullOrWhiteSpace(Status) && string.IsNullOrWhiteSpace(Brand) && string.IsNullOrWhiteSpace(Q);

    /// <summary>What a list may be narrowed to by its state.</summary>
    public static IReadOnlyList<string> Statuses { get; } = ["live", "ended", .. ReadStates.All];

    /// <summary>Whether the state is one there is; none is fine too.</summary>
    internal bool IsOfAKnownStatus => string.IsNullOrWhiteSpace(Status) || Statuses.Contains(Status.Trim(), StringComparer.Ordinal);

    internal IQueryable<AuditRow> Apply(IQueryable<AuditRow> audits)
    {
        audits = Status?.Trim() switch
        {
            null or "" => audits,
            "live" => audits.Where(audit => ReadStates.Live.Contains(audit.Status)),
            "ended" => audits.Where(audit => !ReadStates.Live.Contains(audit.Status)),
            var status => audits.Where(audit => audit.Status == status),
        };
        if (Brand?.Trim() is { Length: > 0 } brand)
            audits = audits.Where(audit => audit.Brand == brand);
        if (Q?.Trim().ToLowerInvariant() is { Length: > 0 } q)
            audits = audits.Where(audit => audit.SearchText.Contains(q));
        return audits;
    }
}

/// <summary>Reads audits for lists and status.</summary>
sealed class AuditReader(DashboardDbContext db)
{
    public const int MaxPageSize = 200;

    const string Advisor = "advisor";

    /// <summary>How many matches behind the page are counted.</summary>
    const int CountedAhead = 10_000;

    /// <summary>The same for a search, which has to read what it counts.</summary>
    const int CountedAheadInSearch = 1_000;

    public async Task<Paged<AuditStatus>> ListAsync(AuditFilter filter, int page, int pageSize, CancellationToken cancellationToken)
    {
        page = Math.Max(1, page);
        pageSize = Math.Clamp(pageSize, 1, MaxPageSize);
        await using var search = string.IsNullOrWhiteSpace(filter.Q) ? null : await BeginSearchAsync(cancellationToken);
        var audits = filter.Apply(db.Audits.AsNoTracking());
        var newest = audits.OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.AuditId).Select(a => a.AuditId);
        // Counting every match costs more than reading a page of them: it stops well behind the page, so that the pager can go on from any page.
        var most = (int)Math.Min(int.MaxValue - 1, (long)page * pageSize + (string.IsNullOrWhiteSpace(filter.Q) ? CountedAhead : CountedAheadInSearch));
        var counted = await newest.Take(most + 1).CountAsync(cancellationToken);
        // Which audits are on the page an index tells; only theirs are read, not those of the pages before.
        var onPage = newest.Skip((int)Math.Min(int.MaxValue, (page - 1L) * pageSize)).Take(pageSize);
        var rows = await db.Audits.AsNoTracking().Where(a => onPage.Contains(a.AuditId)).OrderByDescending(a => a.CreatedAt).ThenByDescending(a => a.AuditId).ToListAsync(cancellationToken);
        return new Paged<AuditStatus>([.. rows.Select(row => Describe(row, [], []))], page, pageSize, Math.Min(counted, most)) { TotalIsAtLeast = counted > most };
    }

    /// <summary>
    /// Prepared once for every word, a search would use the index of trigrams always, also for a word that stands in every row and is found
    /// sooner by reading the newest: each is planned for its own words.
    /// </summary>
    async Task<IDbContextTransaction?> BeginSearchAsync(CancellationToken cancellationToken)
    {
        // Inside a caller's transaction the setting would outlive the search; nobody searches in one.
        if (!db.Database.IsNpgsql() || db.Database.CurrentTransaction is not null)
            return null;
        var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Database.ExecuteSqlRawAsync("SET LOCAL plan_cache_mode = force_custom_plan", cancellationToken);
        return transaction;
    }

    public async Task<AuditStatus?> StatusAsync(Guid auditId, CancellationToken cancellationToken)
    {
        var row = await db.Audits.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == auditId, cancellationToken);
        if (row is null)
            return null;
        var progress = await db.BatchProgress.AsNoTracking().Where(p => p.AuditId == auditId).ToListAsync(cancellationToken);
        var transitions = await db.Transitions.AsNoTracking().Where(t => t.AuditId == auditId).OrderBy(t => t.Sequence).ToListAsync(cancellationToken);
        var ends = await db.AttemptEnds.AsNoTracking().Where(e => e.AuditId == auditId).OrderBy(e => e.Attempt).ToListAsync(cancellationToken);
        return Describe(row, progress, transitions) with
        {
            AttemptEnds = [.. ends.Select(e => new AttemptEnd(e.Attempt, e.Status, e.Reason, e.Detail, e.Phase, e.EndedAt, e.SpentMicroUsd is { } spent ? MicroUsd.ToUsd(spent) : null))],
        };
    }

    public static AuditStatus Describe(AuditRow row, IReadOnlyList<BatchProgressRow> progress, IReadOnlyList<TransitionRow> transitions)
    {
        var engines = progress.Where(p => p.Attempt == row.Attempt).GroupBy(p => p.Engine, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new EngineProgress(g.Key, g.Sum(p => p.DecidedCalls), g.Sum(p => p.TotalCalls),
                g.Select(p => p.WaitingFor).FirstOrDefault(w => w is not null), g.Max(p => p.WaitingUntil))).ToList();
        var rejected = row.Status == AuditStates.Rejected;
        // The advisor's calls are none of the panel's, of which the audit's progress speaks.
        var decided = Math.Max(row.CompletedCalls, engines.Where(engine => engine.Name != Advisor).Sum(engine => engine.Decided));
        return new AuditStatus
        {
            AuditId = row.AuditId, Brand = row.Brand, Kind = row.Kind, Status = row.Status, Attempt = Math.Max(1, row.Attempt),
            Phase = row.IsLive ? row.Status : row.EndedPhase,
            Fraction = row.Status == AuditStates.Completed ? 1 : row.Fraction,
            CompletedCalls = row.Status == AuditStates.Completed ? row.PlannedCalls : Math.Min(decided, row.PlannedCalls > 0 ? row.PlannedCalls : int.MaxValue),
            PlannedCalls = row.PlannedCalls,
            SpentUsd = MicroUsd.ToUsd(row.SpentMicroUsd), ReservedUsd = MicroUsd.ToUsd(row.ReservedMicroUsd), InDoubtUsd = MicroUsd.ToUsd(row.InDoubtMicroUsd),
            CeilingUsd = MicroUsd.ToUsd(row.CeilingMicroUsd),
            RegisteredAt = row.RegisteredAt ?? row.CreatedAt, DeadlineAt = row.DeadlineAt, EndedAt = row.EndedAt,
            LastProgressAt = row.LastProgressAt, LastHeartbeatAt = row.LastHeartbeatAt, WaitingFor = row.WaitingFor, WaitingUntil = row.WaitingUntil, Worker = row.Worker,
            Simulated = row.Simulated, TrackingId = row.TrackingId ?? row.AuditId, ParentAuditId = row.ParentAuditId, Depth = row.Depth, RequestedBy = row.RequestedBy,
            Engines = engines, Scores = AuditJson.Scores(row), Coverage = AuditJson.Coverage(row), MetricsVersion = row.MetricsVersion,
            Failure = row.Status is AuditStates.Failed or AuditStates.Cancelled ? new ReportFailure(row.FailureReason ?? row.Status, row.FailureDetail, row.EndedPhase) : null,
            Rejection = row.RejectionReason is null ? null : new AuditRefusal(row.RejectionReason, row.RejectionDetail, row.RejectionExistingAuditId, row.RejectedAt),
            ReportReady = row.ReportAttempt > 0 && row.ReportAttempt == row.Attempt,
            ReusedAuditId = rejected && row.RejectionReason == RejectionReasons.AlreadyCompleted ? row.RejectionExistingAuditId : null,
            Transitions = [.. transitions.Select(t => new ReportTransition(t.Sequence, t.Attempt, t.FromState, t.ToState, t.Trigger, t.Worker, t.At, t.ElapsedMs) { TraceId = t.TraceId })],
            Links = AuditLinks.Of(row.AuditId), Version = row.Version,
        };
    }
}

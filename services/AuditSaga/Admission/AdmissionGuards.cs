using Assay.AuditSaga.Audits;
using Assay.AuditSaga.Database;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.AuditSaga;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Admission;

/// <summary>
/// The guards an audit passes before money is asked for, in the saga's own transaction. Unique keys and guarded counters decide races;
/// no decision rests on a query alone that another instance could outrun.
/// </summary>
sealed class AdmissionGuards(AuditSagaDbContext database, IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    /// <summary>Judges a new request, or a rejected one sent again, and takes what it needs: the guard row and a place in its tree.</summary>
    /// <returns>Null if it may go on to the gateway.</returns>
    public async Task<Refusal?> AdmitAsync(AuditState audit, RequestAudit received, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        Identify(audit, received, now);

        if (await database.AuditTombstones.AsNoTracking().FirstOrDefaultAsync(tombstone => tombstone.AuditId == audit.CorrelationId, cancellationToken) is { } gone)
            return Refusal.Pruned(gone.AuditId, gone.State, gone.EndedAt);
        if (AuditRequestRules.Check(received) is { Count: > 0 } problems)
            return Refusal.InvalidRequest(problems);

        var request = received.Normalised();
        audit.Kind = request.Kind;
        audit.BrandName = request.Brand.Name;
        audit.BrandKey = BrandKey.Of(request.Brand.Name, request.Brand.Domain);
        audit.PanelHash = RequestHashes.OfPanel(request);
        audit.ParentAuditId = request.ParentAuditId;
        audit.CeilingMicroUsd = MicroUsd.FromUsd(request.CeilingUsd);
        audit.DeadlineMinutes = request.DeadlineMinutes;
        audit.MinCoverage = request.MinCoverage;
        audit.Force = request.Force;
        audit.AuditCompetitors = request.AuditCompetitors;
        audit.InDoubtPolicyAsksAgain = request.InDoubt == InDoubtPolicies.AskAgain;
        audit.DeadlineAt = now + TimeSpan.FromMinutes(audit.DeadlineMinutes);
        await KeepRequestAsync(request, cancellationToken);

        if (await TakeLiveAsync(audit, cancellationToken) is { } running)
            return running;
        if (await JoinLineageAsync(audit, request, cancellationToken) is { } lost)
        {
            await GiveBackAsync(audit, cancellationToken);
            return lost;
        }

        return null;
    }

    void Identify(AuditState audit, RequestAudit received, DateTime now)
    {
        var again = audit.CurrentState == AuditStates.Rejected;
        if (!again)
            audit.RegisteredAt = now;
        // The gateway has closed the number of an attempt it was asked about: the corrected request needs the next one.
        var usedUp = again && audit.BudgetAsked;
        if (usedUp)
            audit.UncountedAttempts++;
        audit.RequestHash = RequestHashes.OfRequest(received);
        audit.PanelHash = "";
        audit.ContentHash = null;
        audit.TrackingId = audit.CorrelationId;
        audit.Ancestry = [];
        audit.Depth = 0;
        audit.StartAttempt(usedUp ? audit.Attempt + 1 : Math.Max(1, audit.Attempt), now);
    }

    async Task KeepRequestAsync(RequestAudit request, CancellationToken cancellationToken)
    {
        if (await database.AuditRequests.FindAsync([request.AuditId], cancellationToken) is { } kept)
            kept.Request = request;
        else
            database.AuditRequests.Add(new AuditRequest { AuditId = request.AuditId, Request = request });
    }

    /// <summary>Takes the guard row of brand, kind and panel; a retry takes it again.</summary>
    public async Task<Refusal?> TakeLiveAsync(AuditState audit, CancellationToken cancellationToken)
    {
        // The holder may end between the two statements; then the second round gets the row.
        for (var round = 0; round < 3; round++)
        {
            var taken = await database.Database.ExecuteSqlAsync(
                $"INSERT INTO live_audit (audit_id, brand_key, kind, panel_hash) VALUES ({audit.CorrelationId}, {audit.BrandKey}, {audit.Kind}, {audit.PanelHash}) ON CONFLICT DO NOTHING",
                cancellationToken);
            if (taken == 1)
                return null;
            var holder = await database.LiveAudits.AsNoTracking()
                .Where(live => live.BrandKey == audit.BrandKey && live.Kind == audit.Kind && live.PanelHash == audit.PanelHash)
                .Select(live => (Guid?)live.AuditId)
                .FirstOrDefaultAsync(cancellationToken);
            if (holder == audit.CorrelationId)
                return null;
            if (holder is not null)
                return Refusal.AlreadyRunning(audit.BrandKey, audit.Kind, holder);
        }

        return Refusal.AlreadyRunning(audit.BrandKey, audit.Kind, holder: null);
    }

    async Task<Refusal?> JoinLineageAsync(AuditState audit, RequestAudit request, CancellationToken cancellationToken)
    {
        var parent = await ParentAsync(request.ParentAuditId, cancellationToken);
        var failed = parent is null ? [] : await FailedAsync([.. parent.Ancestry.Select(a => a.AuditId), parent.AuditId], cancellationToken);
        var (lineage, refusal) = LineageRules.Judge(audit.CorrelationId, audit.BrandKey, audit.Kind, request.ParentAuditId, parent, failed, options.Value.MaxDepth);
        if (lineage is null)
            return refusal;

        audit.TrackingId = lineage.TrackingId;
        audit.Ancestry = lineage.Ancestry;
        audit.Depth = lineage.Depth;
        if (request.ParentAuditId is null)
            await PlantAsync(audit, request, cancellationToken);

        var maxSize = options.Value.MaxTreeSize;
        var joined = await database.LineageTrees
            .Where(tree => tree.TrackingId == audit.TrackingId && tree.Size < maxSize)
            .ExecuteUpdateAsync(set => set.SetProperty(tree => tree.Size, tree => tree.Size + 1), cancellationToken);
        audit.CountedInTree = joined == 1;
        return audit.CountedInTree
            ? null
            : new(RejectionReasons.LineageTooLarge, $"The lineage of root {audit.TrackingId} already holds {maxSize} audits, which is the limit. Start a new root without parentAuditId.", audit.TrackingId);
    }

    async Task<ParentFacts?> ParentAsync(Guid? parentAuditId, CancellationToken cancellationToken) =>
        parentAuditId is not { } id
            ? null
            : await database.Audits.AsNoTracking()
                .Where(parent => parent.CorrelationId == id)
                .Select(parent => new ParentFacts(parent.CorrelationId, parent.CurrentState, parent.BrandKey, parent.Kind, parent.TrackingId, parent.Ancestry))
                .FirstOrDefaultAsync(cancellationToken);

    async Task<HashSet<Guid>> FailedAsync(IReadOnlyList<Guid> auditIds, CancellationToken cancellationToken) =>
        [.. await database.Audits.AsNoTracking()
            .Where(audit => auditIds.Contains(audit.CorrelationId) && audit.CurrentState == AuditStates.Failed)
            .Select(audit => audit.CorrelationId)
            .Concat(database.AuditTombstones.Where(gone => auditIds.Contains(gone.AuditId) && gone.State == AuditStates.Failed).Select(gone => gone.AuditId))
            .ToArrayAsync(cancellationToken)];

    /// <summary>A root's tree; sent again after a refusal it may bring another ceiling.</summary>
    async Task PlantAsync(AuditState audit, RequestAudit request, CancellationToken cancellationToken)
    {
        var children = request.AuditCompetitors ? request.Competitors.Count : 0;
        var defaulted = request.TreeCeilingUsd is null;
        var ceiling = MicroUsd.FromUsd(request.TreeCeilingUsd ?? request.CeilingUsd * (1 + children));
        await database.Database.ExecuteSqlAsync(
            $"INSERT INTO lineage_tree (tracking_id, size, ceiling_micro_usd, ceiling_defaulted) VALUES ({audit.TrackingId}, 0, {ceiling}, {defaulted}) ON CONFLICT (tracking_id) DO UPDATE SET ceiling_micro_usd = excluded.ceiling_micro_usd, ceiling_defaulted = excluded.ceiling_defaulted",
            cancellationToken);
    }

    /// <summary>A refusal gives the guard row and the place in the tree back, in its own transaction.</summary>
    public async Task GiveBackAsync(AuditState audit, CancellationToken cancellationToken)
    {
        await LeaveLiveAsync(audit.CorrelationId, cancellationToken);
        if (!audit.CountedInTree)
            return;
        await database.LineageTrees
            .Where(tree => tree.TrackingId == audit.TrackingId && tree.Size > 0)
            .ExecuteUpdateAsync(set => set.SetProperty(tree => tree.Size, tree => tree.Size - 1), cancellationToken);
        audit.CountedInTree = false;
    }

    /// <summary>Every end of an audit frees its brand, kind and panel.</summary>
    public Task LeaveLiveAsync(Guid auditId, CancellationToken cancellationToken) =>
        database.LiveAudits.Where(live => live.AuditId == auditId).ExecuteDeleteAsync(cancellationToken);

    /// <summary>Judged once the engines are pinned: is there a complete, fresh result of the same content, and may it be paid for again?</summary>
    public async Task<Refusal?> JudgeExistingAsync(AuditState audit, string contentHash, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var since = now - options.Value.Freshness;
        var candidates = await database.Audits.AsNoTracking()
            .Where(other => other.BrandKey == audit.BrandKey && other.Kind == audit.Kind && other.PanelHash == audit.PanelHash
                && other.ContentHash == contentHash && other.CurrentState == AuditStates.Completed && other.CompletedAt > since && other.ErasedAt == null
                && other.CorrelationId != audit.CorrelationId)
            .OrderByDescending(other => other.CompletedAt)
            .Select(other => new { other.CorrelationId, other.CompletedAt, other.TrackingId, other.Coverage })
            .Take(10)
            .ToArrayAsync(cancellationToken);
        var existing = candidates.FirstOrDefault(other => other.Coverage is { Planned: > 0 } coverage && coverage.Valid >= audit.MinCoverage * coverage.Planned);
        if (existing is null)
            return null;
        if (!audit.Force)
            return Refusal.AlreadyCompleted(existing.CorrelationId, existing.CompletedAt ?? now);
        if (existing.TrackingId == audit.TrackingId)
            return Refusal.ForceInsideTree(existing.CorrelationId, audit.TrackingId);

        var limit = options.Value.MaxForcedPerDay;
        var day = DateOnly.FromDateTime(now);
        await database.Database.ExecuteSqlAsync(
            $"INSERT INTO forced_audits (brand_key, kind, day, used) VALUES ({audit.BrandKey}, {audit.Kind}, {day}, 0) ON CONFLICT DO NOTHING",
            cancellationToken);
        var counted = await database.ForcedAudits
            .Where(forced => forced.BrandKey == audit.BrandKey && forced.Kind == audit.Kind && forced.Day == day && forced.Used < limit)
            .ExecuteUpdateAsync(set => set.SetProperty(forced => forced.Used, forced => forced.Used + 1), cancellationToken);
        return counted == 1 ? null : Refusal.ForceUsedUp(audit.BrandKey, audit.Kind, limit, day, existing.CorrelationId);
    }

    /// <summary>The tree of an audit, as its budget needs it.</summary>
    public async Task<LineageTree> TreeAsync(AuditState audit, CancellationToken cancellationToken) =>
        await database.LineageTrees.AsNoTracking().FirstOrDefaultAsync(tree => tree.TrackingId == audit.TrackingId, cancellationToken)
        ?? throw new InvalidOperationException($"Audit {audit.CorrelationId} belongs to lineage {audit.TrackingId}, which has no row in lineage_tree; the audit cannot be given a budget. Restore the table or cancel the audit.");

    /// <summary>A raised ceiling raises a defaulted tree ceiling by the same amount.</summary>
    public Task RaiseTreeAsync(AuditState audit, long byMicroUsd, CancellationToken cancellationToken) =>
        database.LineageTrees
            .Where(tree => tree.TrackingId == audit.TrackingId && tree.CeilingDefaulted)
            .ExecuteUpdateAsync(set => set.SetProperty(tree => tree.CeilingMicroUsd, tree => tree.CeilingMicroUsd + byMicroUsd), cancellationToken);
}

using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Lineage;

/// <summary>One audit of a tree with its children; a refused one says why.</summary>
public sealed record LineageNode(Guid AuditId, string? Brand, string? Kind, string Status, int Depth, Guid? ParentAuditId, string? Refusal, string? RefusalDetail, decimal SpentUsd, IReadOnlyList<LineageNode> Children);

/// <summary>A tree of audits.</summary>
/// <param name="TrackingId">Its root.</param>
/// <param name="Size">Audits that belong to it; a refused request does not.</param>
/// <param name="Refused">Requests that were refused.</param>
/// <param name="SpentUsd">What all of them have spent, in US dollars.</param>
/// <param name="Roots">Its audits from the top, refused ones among them.</param>
public sealed record LineageTree(Guid TrackingId, int Size, int Refused, decimal SpentUsd, IReadOnlyList<LineageNode> Roots);

static class LineageEndpoints
{
    public static void MapApi(RouteGroupBuilder api) => api.MapGet("/lineage/{trackingId:guid}", async Task<IResult> (Guid trackingId, DashboardDbContext db, CancellationToken cancellationToken) =>
            await ReadAsync(trackingId, db, cancellationToken) is { } tree ? TypedResults.Ok(tree) : Problems.NoAudit(trackingId))
        .RequireAuthorization(Policies.Read).WithTags("Lineage").Produces<LineageTree>().ProducesProblem(404).WithSummary("The tree of an audit and its children, refused ones with their reasons.");

    public static void MapPages(RouteGroupBuilder pages) => pages.MapGet("/lineage/{trackingId:guid}", async Task<IResult> (Guid trackingId, DashboardDbContext db, CancellationToken cancellationToken) =>
            await ReadAsync(trackingId, db, cancellationToken) is { } tree ? PageEndpoints.Page<LineagePage>(new { Tree = tree }) : PageEndpoints.NoAudit(trackingId))
        .RequireAuthorization(Policies.Read);

    internal static async Task<LineageTree?> ReadAsync(Guid trackingId, DashboardDbContext db, CancellationToken cancellationToken)
    {
        // A refused child may not have a tracking id of the tree: it is found by its parent.
        var rows = await db.Audits.AsNoTracking().Where(a => a.TrackingId == trackingId || a.AuditId == trackingId).ToListAsync(cancellationToken);
        if (rows.Count == 0)
            return null;
        var ids = rows.ConvertAll(row => row.AuditId);
        rows.AddRange(await db.Audits.AsNoTracking().Where(a => a.ParentAuditId != null && ids.Contains(a.ParentAuditId.Value) && !ids.Contains(a.AuditId)).ToListAsync(cancellationToken));
        return Build(trackingId, [.. rows.Select(row => AuditReader.Describe(row, [], []))]);
    }

    internal static LineageTree Build(Guid trackingId, IReadOnlyList<AuditStatus> audits)
    {
        var known = audits.Select(a => a.AuditId).ToHashSet();
        var children = audits.Where(a => a.ParentAuditId is { } parent && known.Contains(parent) && parent != a.AuditId).ToLookup(a => a.ParentAuditId!.Value);
        HashSet<Guid> placed = [];
        LineageNode Node(AuditStatus audit, int under)
        {
            placed.Add(audit.AuditId);
            // A refused request was never given a depth of its own.
            var depth = Math.Max(audit.Depth, under);
            return new LineageNode(audit.AuditId, audit.Brand, audit.Kind, audit.Status, depth, audit.ParentAuditId,
                audit.Status == Assay.Contracts.AuditStates.Rejected ? audit.Rejection?.Reason : null, audit.Status == Assay.Contracts.AuditStates.Rejected ? audit.Rejection?.Detail : null, audit.SpentUsd,
                [.. children[audit.AuditId].Where(child => !placed.Contains(child.AuditId)).OrderBy(child => child.RegisteredAt).Select(child => Node(child, depth + 1))]);
        }

        var roots = audits.Where(a => a.ParentAuditId is not { } parent || !known.Contains(parent)).OrderBy(a => a.RegisteredAt).Select(root => Node(root, 0)).ToList();
        var refused = audits.Count(audit => audit.Status == Assay.Contracts.AuditStates.Rejected);
        return new LineageTree(trackingId, audits.Count - refused, refused, audits.Sum(a => a.SpentUsd), roots);
    }
}

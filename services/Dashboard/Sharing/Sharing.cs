using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Sharing;

/// <summary>Read-only links to one report for people without a key. The token is shown once; its hash is kept; revoking works at once.</summary>
static class SharingEndpoints
{
    /// <summary>How making a link is called in the record; the link's id is its detail.</summary>
    const string Shared = "share";

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/shared/{token}", SharedAsync).AllowAnonymous().RequireRateLimiting(PageEndpoints.SharedLimit);
        pages.MapGet("/audits/{id:guid}/share", (Guid id, AuditReader reader, DashboardDbContext db, CancellationToken cancellationToken) => PageAsync(id, null, reader, db, cancellationToken)).RequireAuthorization(Policies.Produce);
        PageEndpoints.Form(pages, "/audits/{id:guid}/share", CreateAsync).AsksWhy().RequireAuthorization(Policies.Produce);
        PageEndpoints.Form(pages, "/audits/{id:guid}/share/{linkId:guid}/revoke", RevokeAsync).AsksWhy().RequireAuthorization(Policies.Produce);
    }

    static async Task<IResult> SharedAsync(string token, DashboardDbContext db, ReportReader reports, HtmlReport html, CancellationToken cancellationToken)
    {
        var hash = Secrets.HashOf(token);
        var auditId = await db.ShareLinks.AsNoTracking().Where(link => link.TokenHash == hash && link.RevokedAt == null).Select(link => (Guid?)link.AuditId).SingleOrDefaultAsync(cancellationToken);
        try
        {
            return auditId is { } id && await reports.ReadAsync(id, withTexts: true, cancellationToken) is { } report
                ? new HtmlReportResult(await html.RenderAsync(report, cancellationToken))
                : PageEndpoints.Message("This link leads nowhere", "It was revoked, or its report was deleted. Ask who sent it for a new one.", StatusCodes.Status404NotFound, "/login", "Sign in");
        }
        catch (TextsUnavailableException)
        {
            return PageEndpoints.Message("Not available now", "The report cannot be read at the moment. Try again in a few minutes.", StatusCodes.Status503ServiceUnavailable);
        }
    }

    static async Task<IResult> PageAsync(Guid id, string? created, AuditReader reader, DashboardDbContext db, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return PageEndpoints.NoAudit(id);
        // For whom a link was made is the reason that its maker gave.
        var madeFor = (await db.OperatorActions.AsNoTracking().Where(action => action.AuditId == id && action.Action == Shared && action.Detail != null).Select(action => new { action.Detail, action.Reason }).ToListAsync(cancellationToken))
            .ToLookup(action => action.Detail, action => action.Reason, StringComparer.Ordinal);
        var links = (await db.ShareLinks.AsNoTracking().Where(link => link.AuditId == id).OrderByDescending(link => link.CreatedAt).ToListAsync(cancellationToken))
            .ConvertAll(link => new SharePage.Link(link.LinkId, madeFor[link.LinkId.ToString()].FirstOrDefault(), link.CreatedBy, link.CreatedAt, link.RevokedAt));
        return PageEndpoints.Page<SharePage>(new { Status = status, Links = (IReadOnlyList<SharePage.Link>)links, Created = created });
    }

    static async Task<IResult> CreateAsync(Guid id, HttpContext context, AuditReader reader, DashboardDbContext db, OperatorTrail trail, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is null)
            return PageEndpoints.NoAudit(id);
        var token = Secrets.New();
        var linkId = Guid.CreateVersion7();
        db.ShareLinks.Add(new ShareLinkRow { LinkId = linkId, TokenHash = Secrets.HashOf(token), AuditId = id, CreatedBy = Callers.NameOf(context), CreatedAt = time.GetUtcNow().UtcDateTime });
        await trail.RecordAsync(Callers.NameOf(context), Shared, id, (await context.Request.ReadFormAsync(cancellationToken))["reason"], linkId.ToString(), cancellationToken);
        // The one page that is not reached by a redirect: the token is shown once and kept nowhere.
        return await PageAsync(id, $"{context.Request.Scheme}://{context.Request.Host}/shared/{token}", reader, db, cancellationToken);
    }

    static async Task<IResult> RevokeAsync(Guid id, Guid linkId, HttpContext context, DashboardDbContext db, OperatorTrail trail, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow().UtcDateTime;
        await db.ShareLinks.Where(link => link.LinkId == linkId && link.AuditId == id && link.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(link => link.RevokedAt, now), cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "revoke share", id, (await context.Request.ReadFormAsync(cancellationToken))["reason"], linkId.ToString(), cancellationToken);
        return TypedResults.LocalRedirect($"/audits/{id}/share");
    }
}

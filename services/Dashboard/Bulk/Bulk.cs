using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Deletion;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Pages;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Bulk;

/// <summary>One action on every audit that a filter names.</summary>
/// <param name="Action">cancel, retry or delete.</param>
/// <param name="Filter">Which audits; an empty filter is refused.</param>
/// <param name="Reason">Why, kept with who and when.</param>
/// <param name="DryRun">Only count.</param>
public sealed record BulkBody(string? Action, AuditFilter? Filter, string? Reason, bool DryRun);

/// <summary>What an action on many would do or did.</summary>
public sealed record BulkResult(string Action, int Count, decimal WorstCaseUsd, bool DryRun, IReadOnlyList<Guid> AuditIds);

/// <summary>Cancels, retries or deletes many audits; the count and the worst-case cost come first.</summary>
sealed class BulkActions(DashboardDbContext db, AuditCommands commands, AuditDeletion deletion, OperatorTrail trail)
{
    public const int Most = 1000;
    public static readonly string[] Actions = ["cancel", "retry", "delete"];

    public async Task<BulkResult> RunAsync(string action, AuditFilter filter, string reason, bool dryRun, string who, CancellationToken cancellationToken)
    {
        var audits = filter.Apply(db.Audits.AsNoTracking());
        audits = action switch
        {
            "cancel" => audits.Where(a => ReadStates.Live.Contains(a.Status)),
            "retry" => audits.Where(a => a.Status == AuditStates.Failed || a.Status == AuditStates.Cancelled),
            _ => audits.Where(a => !ReadStates.Live.Contains(a.Status)),
        };
        var found = await audits.OrderBy(a => a.CreatedAt).Take(Most).Select(a => new { a.AuditId, a.Attempt, a.CeilingMicroUsd, a.SpentMicroUsd }).ToListAsync(cancellationToken);
        // A retry can spend what is left under each ceiling, and no more.
        var worst = action == "retry" ? MicroUsd.ToUsd(found.Sum(a => Math.Max(0, a.CeilingMicroUsd - a.SpentMicroUsd))) : 0;
        var result = new BulkResult(action, found.Count, worst, dryRun, [.. found.Select(a => a.AuditId)]);
        if (dryRun)
            return result;
        foreach (var audit in found)
        {
            await trail.RecordAsync(who, $"bulk {action}", audit.AuditId, reason, $"one of {found.Count}", cancellationToken);
            switch (action)
            {
                case "cancel":
                    await commands.PostAsync(audit.AuditId, new CancelAudit { AuditId = audit.AuditId, Reason = reason, RequestedBy = who }, cancellationToken);
                    break;
                case "retry":
                    await commands.PostAsync(audit.AuditId, new RetryAudit { AuditId = audit.AuditId, FromAttempt = Math.Max(1, audit.Attempt), Reason = reason, RequestedBy = who }, cancellationToken);
                    break;
                default:
                    await deletion.DeleteAsync(audit.AuditId, who, cancellationToken);
                    break;
            }
        }

        return result;
    }
}

static class BulkEndpoints
{
    public static void MapApi(RouteGroupBuilder api)
    {
        api.MapPost("/audits/bulk", async Task<IResult> (BulkBody body, HttpContext context, BulkActions bulk, CancellationToken cancellationToken) =>
            {
                if (body.Action is not { } action || !BulkActions.Actions.Contains(action, StringComparer.Ordinal))
                    return Problems.BadInput("action", $"is '{body.Action}'; use cancel, retry or delete");
                if (body.Filter is not { IsEmpty: false } filter)
                    return Problems.BadInput("filter", "is empty; name a status, brand or q, so that nothing is done to everything by mistake");
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                return TypedResults.Ok(await bulk.RunAsync(action, filter, body.Reason, body.DryRun, Callers.NameOf(context), cancellationToken));
            })
            .RequireAuthorization(Policies.OperateByKey).WithTags("Audits").Produces<BulkResult>().ProducesProblem(400).WithSummary("Cancels, retries or deletes every audit a filter names; dryRun only counts.");
        api.MapDelete("/audits/{id:guid}", async Task<IResult> (Guid id, HttpContext context, AuditDeletion deletion, OperatorTrail trail, CancellationToken cancellationToken) =>
            {
                var who = Callers.NameOf(context);
                await trail.RecordAsync(who, "delete", id, context.Request.Query["reason"], null, cancellationToken);
                return await deletion.DeleteAsync(id, who, cancellationToken) switch
                {
                    DeletionOutcome.Deleted => TypedResults.Accepted((string?)null),
                    DeletionOutcome.StillRunning => Problems.Conflict(id, "StillRunning", $"Audit {id} is still running; cancel it first."),
                    _ => Problems.NoAudit(id),
                };
            })
            .RequireAuthorization(Policies.OperateByKey).WithTags("Audits").Produces(StatusCodes.Status202Accepted).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503).WithSummary("Deletes an ended audit with its texts; amounts in the ledger stay.");
    }

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/audits/bulk", async Task<IResult> (string? action, string? status, string? brand, string? q, BulkActions bulk, HttpContext context, CancellationToken cancellationToken) =>
            {
                var filter = new AuditFilter(status, brand, q);
                if (action is null || !BulkActions.Actions.Contains(action, StringComparer.Ordinal) || filter.IsEmpty)
                    return PageEndpoints.Message("Which audits?", "Search for the audits first: an action on all of them needs a state, brand or words.", StatusCodes.Status400BadRequest);
                var planned = await bulk.RunAsync(action, filter, "", dryRun: true, Callers.NameOf(context), cancellationToken);
                return PageEndpoints.Page<BulkPage>(new { Planned = planned, Filter = filter });
            })
            .RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/audits/bulk", async Task<IResult> (HttpContext context, BulkActions bulk, CancellationToken cancellationToken) =>
            {
                var form = await context.Request.ReadFormAsync(cancellationToken);
                var filter = new AuditFilter(form["status"], form["brand"], form["q"]);
                var action = form["action"].ToString();
                if (!BulkActions.Actions.Contains(action, StringComparer.Ordinal) || filter.IsEmpty || string.IsNullOrWhiteSpace(form["reason"]))
                    return PageEndpoints.Message("Not done", "An action, a search and a reason are needed.", StatusCodes.Status400BadRequest);
                var done = await bulk.RunAsync(action, filter, form["reason"].ToString(), dryRun: false, Callers.NameOf(context), cancellationToken);
                return PageEndpoints.Message("Sent", $"{done.Action} was sent to {Show.Many(done.Count, "audit")}. Each follows in its own time; what operators did is listed under Operations.", StatusCodes.Status200OK);
            })
            .RequireAuthorization(Policies.Operate);
    }
}

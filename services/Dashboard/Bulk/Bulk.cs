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
/// <param name="Expected">The count a dry run told; if another number of audits is found now, nothing is done.</param>
/// <param name="AuditIds">The audits a dry run told; if others are found now, nothing is done.</param>
public sealed record BulkBody(string? Action, AuditFilter? Filter, string? Reason, bool DryRun, int? Expected = null, IReadOnlyList<Guid>? AuditIds = null);

/// <summary>What an action on many would do or did.</summary>
public sealed record BulkResult(string Action, int Count, decimal WorstCaseUsd, bool DryRun, IReadOnlyList<Guid> AuditIds);

/// <summary>Cancels, retries or deletes many audits; the count and the worst-case cost come first.</summary>
sealed class BulkActions(DashboardDbContext db, AuditCommands commands, AuditDeletion deletion, OperatorTrail trail)
{
    public const int Most = 1000;
    public static readonly string[] Actions = ["cancel", "retry", "delete"];

    /// <summary>What the action would reach now. Only what is found here is acted on: an audit that comes later is another search's.</summary>
    public async Task<BulkPlan> PlanAsync(string action, AuditFilter filter, CancellationToken cancellationToken)
    {
        var audits = filter.Apply(db.Audits.AsNoTracking());
        audits = action switch
        {
            "cancel" => audits.Where(a => ReadStates.Live.Contains(a.Status)),
            "retry" => audits.Where(a => a.Status == AuditStates.Failed || a.Status == AuditStates.Cancelled),
            _ => audits.Where(a => !ReadStates.Live.Contains(a.Status)),
        };
        var found = await audits.OrderBy(a => a.CreatedAt).ThenBy(a => a.AuditId).Take(Most).Select(a => new { a.AuditId, a.Attempt, a.CeilingMicroUsd, a.SpentMicroUsd }).ToListAsync(cancellationToken);
        // A retry can spend what is left under each ceiling, and no more.
        var worst = action == "retry" ? MicroUsd.ToUsd(found.Sum(a => Math.Max(0, a.CeilingMicroUsd - a.SpentMicroUsd))) : 0;
        return new BulkPlan(action, [.. found.Select(a => new BulkPlan.Audit(a.AuditId, a.Attempt))], worst);
    }

    public async Task CarryOutAsync(BulkPlan plan, string reason, string who, CancellationToken cancellationToken)
    {
        foreach (var (auditId, attempt) in plan.Audits)
        {
            await trail.RecordAsync(who, $"bulk {plan.Action}", auditId, reason, $"one of {plan.Audits.Count}", cancellationToken);
            switch (plan.Action)
            {
                case "cancel":
                    await commands.PostAsync(auditId, new CancelAudit { AuditId = auditId, Reason = reason, RequestedBy = who }, cancellationToken);
                    break;
                case "retry":
                    await commands.PostAsync(auditId, new RetryAudit { AuditId = auditId, FromAttempt = Math.Max(1, attempt), Reason = reason, RequestedBy = who }, cancellationToken);
                    break;
                default:
                    await deletion.DeleteAsync(auditId, who, cancellationToken);
                    break;
            }
        }
    }
}

/// <summary>Which audits an action on many reaches.</summary>
public sealed record BulkPlan(string Action, IReadOnlyList<BulkPlan.Audit> Audits, decimal WorstCaseUsd)
{
    public sealed record Audit(Guid AuditId, int Attempt);

    /// <summary>The audits as a form carries them.</summary>
    public string Written => string.Join(',', Audits.Select(audit => audit.AuditId));

    /// <summary>Whether these are the audits that somebody was shown, no more and no fewer.</summary>
    public bool IsWhatWasShown(string written) =>
        IsWhatWasShown(written.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(id => Guid.TryParseExact(id, "D", out var auditId) ? auditId : Guid.Empty));

    /// <inheritdoc cref="IsWhatWasShown(string)"/>
    public bool IsWhatWasShown(IEnumerable<Guid> shown) => shown.ToHashSet().SetEquals(Audits.Select(audit => audit.AuditId));

    public BulkResult Result(bool dryRun) => new(Action, Audits.Count, WorstCaseUsd, dryRun, [.. Audits.Select(audit => audit.AuditId)]);
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
                if (!filter.IsOfAKnownStatus)
                    return Problems.UnknownStatus("filter.status", filter.Status);
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                var plan = await bulk.PlanAsync(action, filter, cancellationToken);
                if (body.Expected is { } expected && expected != plan.Audits.Count)
                    return Problems.CountChanged(expected, plan.Audits.Count);
                if (body.AuditIds is { } shown && !plan.IsWhatWasShown(shown))
                    return Problems.AuditsChanged(shown.Count, plan.Audits.Count);
                if (!body.DryRun)
                    await bulk.CarryOutAsync(plan, body.Reason, Callers.NameOf(context), cancellationToken);
                return TypedResults.Ok(plan.Result(body.DryRun));
            })
            .RequireAuthorization(Policies.OperateByKey).WithTags("Audits").Produces<BulkResult>().ProducesProblem(400).ProducesProblem(409).ProducesProblem(503)
            .WithSummary("Cancels, retries or deletes every audit a filter names; dryRun only counts.")
            .WithDescription("expected: the count that a dry run told. If another number of audits is found, nothing is done: 409 with the reason CountChanged and the count found. auditIds: the audits it told; if others are found, be they as many, 409 with the reason AuditsChanged.");
        api.MapDelete("/audits/{id:guid}", async Task<IResult> (Guid id, string? reason, HttpContext context, DashboardDbContext db, AuditDeletion deletion, OperatorTrail trail, CancellationToken cancellationToken) =>
            {
                if (string.IsNullOrWhiteSpace(reason))
                    return Problems.BadInput("reason", "is missing; say why (?reason=), it is kept with who and when");
                var who = Callers.NameOf(context);
                if (!await db.Audits.AsNoTracking().AnyAsync(audit => audit.AuditId == id, cancellationToken))
                    return Problems.NoAudit(id);
                await trail.RecordAsync(who, "delete", id, reason, null, cancellationToken);
                return await deletion.DeleteAsync(id, who, cancellationToken) switch
                {
                    DeletionOutcome.Deleted => TypedResults.Accepted((string?)null),
                    DeletionOutcome.StillRunning => Problems.Conflict(id, "StillRunning", $"Audit {id} is still running; cancel it first."),
                    _ => Problems.NoAudit(id),
                };
            })
            .RequireAuthorization(Policies.OperateByKey).WithTags("Audits").Produces(StatusCodes.Status202Accepted).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503).WithSummary("Deletes an ended audit with its texts; amounts in the ledger stay. reason is required.");
    }

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/audits/bulk", async Task<IResult> (string? action, string? status, string? brand, string? q, BulkActions bulk, CancellationToken cancellationToken) =>
            {
                var filter = new AuditFilter(status, brand, q);
                if (action is null || !BulkActions.Actions.Contains(action, StringComparer.Ordinal) || filter.IsEmpty)
                    return PageEndpoints.Message("Which audits?", "Search for the audits first: an action on all of them needs a state, brand or words.", StatusCodes.Status400BadRequest);
                return PageEndpoints.Page<BulkPage>(new { Planned = await bulk.PlanAsync(action, filter, cancellationToken), Filter = filter });
            })
            .RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/audits/bulk", async Task<IResult> (HttpContext context, BulkActions bulk, CancellationToken cancellationToken) =>
            {
                var form = await context.Request.ReadFormAsync(cancellationToken);
                var filter = new AuditFilter(form["status"], form["brand"], form["q"]);
                var action = form["action"].ToString();
                if (!BulkActions.Actions.Contains(action, StringComparer.Ordinal) || filter.IsEmpty || string.IsNullOrWhiteSpace(form["reason"]))
                    return PageEndpoints.Message("Not done", "An action, a search and a reason are needed.", StatusCodes.Status400BadRequest);
                var reason = form["reason"].ToString();
                var plan = await bulk.PlanAsync(action, filter, cancellationToken);
                // The person agreed to the audits the form counted, and to no others.
                if (!plan.IsWhatWasShown(form["audits"].ToString()))
                    return PageEndpoints.Page<BulkPage>(new { Planned = plan, Filter = filter, Reason = reason, Error = "Nothing was done: what this search names has changed since it was counted. This is the count now." }, StatusCodes.Status409Conflict);
                await bulk.CarryOutAsync(plan, reason, Callers.NameOf(context), cancellationToken);
                return PageEndpoints.Message("Sent", $"{plan.Action} was sent to {Show.Many(plan.Audits.Count, "audit")}. Each follows in its own time; what operators did is listed under Operations.", StatusCodes.Status200OK);
            })
            .RequireAuthorization(Policies.Operate);
    }
}

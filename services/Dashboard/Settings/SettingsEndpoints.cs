using Assay.Dashboard.Access;
using Assay.Dashboard.Database;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.Dashboard.Settings;

/// <summary>Keys and webhooks, for operators.</summary>
static class SettingsEndpoints
{
    const string SayWhy = "Say why; it is kept with who and when.";

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/settings", (IKeyStore keys, DashboardDbContext db, CancellationToken cancellationToken) => PageAsync(keys, db, null, null, null, cancellationToken)).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/settings/keys", CreateKeyAsync).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/settings/keys/{id:guid}/revoke", RevokeKeyAsync).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/settings/webhooks", AddWebhookAsync).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/settings/webhooks/{id:guid}/remove", RemoveWebhookAsync).RequireAuthorization(Policies.Operate);
    }

    static async Task<IResult> PageAsync(IKeyStore keys, DashboardDbContext db, string? secretTitle, string? secret, string? error, CancellationToken cancellationToken)
    {
        var hooks = await db.Webhooks.AsNoTracking().Where(hook => hook.RemovedAt == null).OrderBy(hook => hook.CreatedAt).Select(hook => new SettingsPage.Hook(hook.WebhookId, hook.Url, hook.CreatedBy,
            db.WebhookDeliveries.Count(d => d.WebhookId == hook.WebhookId && d.DeliveredAt != null),
            db.WebhookDeliveries.Count(d => d.WebhookId == hook.WebhookId && d.NextTryAt != null),
            db.WebhookDeliveries.Count(d => d.WebhookId == hook.WebhookId && d.DeliveredAt == null && d.NextTryAt == null),
            db.WebhookDeliveries.Where(d => d.WebhookId == hook.WebhookId && d.DeliveredAt == null).Select(d => d.LastError).FirstOrDefault(),
            db.WebhookDeliveries.Where(d => d.WebhookId == hook.WebhookId).Min(d => d.NextTryAt))).ToListAsync(cancellationToken);
        return PageEndpoints.Page<SettingsPage>(new { Keys = await keys.ListAsync(cancellationToken), Webhooks = (IReadOnlyList<SettingsPage.Hook>)hooks, SecretTitle = secretTitle, Secret = secret, Error = error },
            error is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    static async Task<IResult> CreateKeyAsync(HttpContext context, IKeyStore keys, DashboardDbContext db, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var (role, name) = (form["role"].ToString(), form["name"].ToString());
        if (!Roles.All.Contains(role, StringComparer.Ordinal) || string.IsNullOrWhiteSpace(name) || name.Length > 100)
            return await PageAsync(keys, db, null, null, "A key needs a name of 1 to 100 characters and the role viewer, producer or operator.", cancellationToken);
        if (string.IsNullOrWhiteSpace(form["reason"]))
            return await PageAsync(keys, db, null, null, SayWhy, cancellationToken);
        var key = await keys.CreateKeyAsync(role, name, cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "create key", null, form["reason"], $"{role} key for {name}, {key.KeyId}", cancellationToken);
        // Not a redirect: the secret is shown once and kept nowhere.
        return await PageAsync(keys, db, $"The {role} key of {name}", key.Secret, null, cancellationToken);
    }

    static async Task<IResult> RevokeKeyAsync(Guid id, HttpContext context, IKeyStore keys, DashboardDbContext db, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var reason = (await context.Request.ReadFormAsync(cancellationToken))["reason"].ToString();
        if (string.IsNullOrWhiteSpace(reason))
            return await PageAsync(keys, db, null, null, SayWhy, cancellationToken);
        await keys.RevokeKeyAsync(id, Callers.NameOf(context), cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "revoke key", null, reason, id.ToString(), cancellationToken);
        return TypedResults.LocalRedirect("/settings");
    }

    static async Task<IResult> AddWebhookAsync(HttpContext context, IKeyStore keys, DashboardDbContext db, OperatorTrail trail, IOptions<DashboardOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var url = form["url"].ToString().Trim();
        if ((url.Length > 500 ? "its URL is longer than 500 characters" : await WebhookAddress.ProblemAsync(url, options.Value.AllowPrivateWebhooks, cancellationToken)) is { } problem)
            return await PageAsync(keys, db, null, null, $"The webhook was not added: {problem}.", cancellationToken);
        if (string.IsNullOrWhiteSpace(form["reason"]))
            return await PageAsync(keys, db, null, null, SayWhy, cancellationToken);
        var secret = Secrets.New();
        db.Webhooks.Add(new WebhookRow { WebhookId = Guid.CreateVersion7(), Url = url, Secret = secret, CreatedBy = Callers.NameOf(context), CreatedAt = time.GetUtcNow().UtcDateTime });
        await trail.RecordAsync(Callers.NameOf(context), "add webhook", null, form["reason"], url, cancellationToken);
        return await PageAsync(keys, db, "The webhook's signing secret", secret, null, cancellationToken);
    }

    static async Task<IResult> RemoveWebhookAsync(Guid id, HttpContext context, IKeyStore keys, DashboardDbContext db, OperatorTrail trail, TimeProvider time, CancellationToken cancellationToken)
    {
        var reason = (await context.Request.ReadFormAsync(cancellationToken))["reason"].ToString();
        if (string.IsNullOrWhiteSpace(reason))
            return await PageAsync(keys, db, null, null, SayWhy, cancellationToken);
        var now = time.GetUtcNow().UtcDateTime;
        await db.Webhooks.Where(hook => hook.WebhookId == id && hook.RemovedAt == null).ExecuteUpdateAsync(set => set.SetProperty(hook => hook.RemovedAt, now), cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "remove webhook", null, reason, id.ToString(), cancellationToken);
        return TypedResults.LocalRedirect("/settings");
    }
}

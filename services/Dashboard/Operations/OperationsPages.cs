using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Rebuild;
using Assay.Dashboard.Spending;
using Assay.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.Dashboard.Operations;

/// <summary>The operator's pages.</summary>
static class OperationsPages
{
    const int TrailPageSize = 50;
    const int LatestAudits = 25;
    const int LatestSteps = 15;

    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/operations", OperationsAsync).RequireAuthorization(Policies.Read);
        // Messages carry customers' words and prompts: for operators only.
        pages.MapGet("/operations/messages", MessagesAsync).RequireAuthorization(Policies.Operate);
        pages.MapGet("/operations/messages/send-again", SendAgainPageAsync).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/messages/send-again", SendAgainAsync).RequireAuthorization(Policies.Operate);
        pages.MapGet("/operations/services/{service}/release", ReleasePageAsync).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/services/{service}/release", ReleaseAsync).RequireAuthorization(Policies.Operate);
    }

    static async Task<IResult> OperationsAsync(int? trail, HttpContext context, DashboardDbContext db, AuditReader reader, GatewayClient gateway, ServicesClient services, FaultedMessageDesk desk, ReadModelRebuild rebuild, IOptions<DashboardOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        // The slow ones are on their way while the database is read.
        var asked = services.LookAsync(cancellationToken);
        var engines = EnginesAsync(gateway, cancellationToken);
        var live = await reader.ListAsync(new AuditFilter("live"), 1, 100, cancellationToken);
        var failed = await db.Audits.AsNoTracking().Where(a => a.Status == AuditStates.Failed)
            .GroupBy(a => a.FailureReason!).Select(g => new { Reason = g.Key, Count = g.Count(), LatestAt = g.Max(a => a.CreatedAt) }).OrderByDescending(g => g.Count).Take(20).ToListAsync(cancellationToken);
        List<OperationsPage.FailureGroup> failures = [];
        foreach (var group in failed)
        {
            var latest = await db.Audits.AsNoTracking().Where(a => a.Status == AuditStates.Failed && a.FailureReason == group.Reason && a.CreatedAt == group.LatestAt).Select(a => a.AuditId).FirstOrDefaultAsync(cancellationToken);
            failures.Add(new OperationsPage.FailureGroup(group.Reason, group.Count, latest));
        }

        var trailPage = Math.Max(1, trail ?? 1);
        var actions = new Paged<OperatorActionRow>(await db.OperatorActions.AsNoTracking().OrderByDescending(a => a.At).Skip((int)Math.Min(int.MaxValue, (trailPage - 1L) * TrailPageSize)).Take(TrailPageSize).ToListAsync(cancellationToken),
            trailPage, TrailPageSize, await db.OperatorActions.CountAsync(cancellationToken));
        var named = actions.Items.Select(action => action.AuditId).OfType<Guid>().ToArray();
        var present = await db.Audits.AsNoTracking().Where(audit => named.Contains(audit.AuditId)).Select(audit => audit.AuditId).ToHashSetAsync(cancellationToken);
        var transitions = await LatestAsync(db, cancellationToken);
        var states = await asked;
        await desk.LearnAsync(states, cancellationToken);
        return PageEndpoints.Page<OperationsPage>(new
        {
            LiveAudits = live.Items, LiveCount = live.Total, Failures = failures, Actions = actions, Present = present, Transitions = transitions, Engines = await engines, Services = states, Faulted = await desk.LookAsync(cancellationToken),
            Rebuild = await rebuild.StateAsync(cancellationToken), StallTimeout = options.Value.StallTimeout, Now = time.GetUtcNow().UtcDateTime,
        });
    }

    /// <summary>Steps of the audits that changed last: reading all steps in the order of time would cost more with every audit.</summary>
    static async Task<IReadOnlyList<OperationsPage.Step>> LatestAsync(DashboardDbContext db, CancellationToken cancellationToken)
    {
        var changed = await db.Audits.AsNoTracking().OrderByDescending(audit => audit.UpdatedAt).Take(LatestAudits).Select(audit => new { audit.AuditId, audit.Brand }).ToDictionaryAsync(audit => audit.AuditId, audit => audit.Brand, cancellationToken);
        var ids = changed.Keys.ToArray();
        var steps = await db.Transitions.AsNoTracking().Where(step => ids.Contains(step.AuditId)).OrderByDescending(step => step.At).ThenByDescending(step => step.Sequence).Take(LatestSteps).ToListAsync(cancellationToken);
        return steps.ConvertAll(step => new OperationsPage.Step(step.AuditId, changed[step.AuditId], step.Attempt, step.FromState, step.ToState, step.Trigger, step.Worker, step.At));
    }

    static async Task<EngineList?> EnginesAsync(GatewayClient gateway, CancellationToken cancellationToken)
    {
        try
        {
            return await gateway.EnginesAsync(cancellationToken);
        }
        catch (GatewayUnavailableException)
        {
            // The page says that the gateway does not answer; the rest of it does not need it.
            return null;
        }
    }

    static async Task<IResult> MessagesAsync(ServicesClient services, FaultedMessageDesk desk, CancellationToken cancellationToken)
    {
        await desk.LearnAsync(await services.LookAsync(cancellationToken), cancellationToken);
        return PageEndpoints.Page<FaultedMessagesPage>(new { Overview = await desk.LookAsync(cancellationToken) });
    }

    static async Task<IResult> SendAgainPageAsync(string? queue, string? key, string? faultType, string? messageType, FaultedMessageDesk desk, CancellationToken cancellationToken)
    {
        var selection = new FaultedSelection(queue, key, faultType, messageType);
        var count = await CountAsync(selection, desk, cancellationToken);
        return count == 0 ? Gone() : PageEndpoints.Page<SendAgainPage>(new { Selection = selection, Count = count });
    }

    static async Task<IResult> SendAgainAsync(HttpContext context, FaultedMessageDesk desk, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        string? Field(string name) => form[name].ToString() is { Length: > 0 } text ? text : null;
        var selection = new FaultedSelection(Field("queue"), Field("key"), Field("faultType"), Field("messageType"));
        var count = await CountAsync(selection, desk, cancellationToken);
        // The person agreed to the count the form showed.
        if (int.TryParse(form["count"], out var agreed))
            count = Math.Min(count, agreed);
        if (count <= 0)
            return Gone();
        if (string.IsNullOrWhiteSpace(form["reason"]))
            return PageEndpoints.Page<SendAgainPage>(new { Selection = selection, Count = count, Error = "Say why; it is kept with who and when." }, StatusCodes.Status400BadRequest);
        await trail.RecordAsync(Callers.NameOf(context), "send again", null, form["reason"], selection.Describe(count), cancellationToken);
        try
        {
            await desk.SendAgainAsync(selection, count, cancellationToken);
        }
        catch (BrokerUnavailableException exception)
        {
            return PageEndpoints.Page<SendAgainPage>(new { Selection = selection, Count = count, Error = exception.Message }, StatusCodes.Status503ServiceUnavailable);
        }

        return TypedResults.LocalRedirect("/operations/messages");
    }

    static async Task<int> CountAsync(FaultedSelection selection, FaultedMessageDesk desk, CancellationToken cancellationToken) =>
        (await desk.LookAsync(cancellationToken)).Queues.FirstOrDefault(queue => queue.Name == selection.Queue)?.Messages.Count(selection.Names) ?? 0;

    static IResult Gone() => PageEndpoints.Message("Nothing to send again", "These messages are not in their queue any more: somebody sent them again, or the broker does not answer.", StatusCodes.Status404NotFound, "/operations/messages", "To the faulted messages");

    static async Task<IResult> ReleasePageAsync(string service, Guid? messageId, ServicesClient services, CancellationToken cancellationToken)
    {
        if (!ServicesClient.Names.Contains(service, StringComparer.Ordinal))
            return PageEndpoints.Message("No such service", $"There is no service '{service}'.", StatusCodes.Status404NotFound, "/operations", "To operations");
        var state = (await services.LookAsync(cancellationToken)).Single(s => s.Service == service);
        return PageEndpoints.Page<ReleasePage>(new { Service = service, MessageId = messageId, Count = state.Health?.Parked ?? 0, Error = state.Silent });
    }

    static async Task<IResult> ReleaseAsync(string service, HttpContext context, ServicesClient services, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (!ServicesClient.Names.Contains(service, StringComparer.Ordinal))
            return PageEndpoints.Message("No such service", $"There is no service '{service}'.", StatusCodes.Status404NotFound, "/operations", "To operations");
        var form = await context.Request.ReadFormAsync(cancellationToken);
        Guid? messageId = Guid.TryParse(form["messageId"], out var id) ? id : null;
        if (string.IsNullOrWhiteSpace(form["reason"]))
            return PageEndpoints.Page<ReleasePage>(new { Service = service, MessageId = messageId, Error = "Say why; it is kept with who and when." }, StatusCodes.Status400BadRequest);
        var who = Callers.NameOf(context);
        await trail.RecordAsync(who, "release parked", null, form["reason"], $"{service} {(messageId is { } one ? one.ToString() : "all")}", cancellationToken);
        try
        {
            await services.ReleaseAsync(service, messageId, who, cancellationToken);
        }
        catch (ServiceSilentException exception)
        {
            return PageEndpoints.Page<ReleasePage>(new { Service = service, MessageId = messageId, Reason = form["reason"].ToString(), Error = exception.Message }, StatusCodes.Status503ServiceUnavailable);
        }

        return TypedResults.LocalRedirect("/operations");
    }
}

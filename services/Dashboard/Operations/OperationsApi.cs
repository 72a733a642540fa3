using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.ServiceDefaults;

namespace Assay.Dashboard.Operations;

public sealed record SendAgainBody(string? Queue, string? Key, string? FaultType, string? MessageType, string? Reason, bool DryRun);

/// <summary>What was, or would be, sent again.</summary>
public sealed record SentAgain(int Count, bool DryRun);

public sealed record ReleaseBody(Guid? MessageId, string? Reason);

/// <summary>What was released.</summary>
public sealed record Released(string Service, int Count);

/// <summary>/api/operations: services, and messages that were given up.</summary>
static class OperationsApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var operations = api.MapGroup("/operations").WithTags("Operations");
        operations.MapGet("/services", async (ServicesClient services, CancellationToken cancellationToken) => TypedResults.Ok(await services.LookAsync(cancellationToken)))
            .RequireAuthorization(Policies.OperateByKey).WithSummary("Outbox and scheduler of each service, with what is parked.");
        operations.MapPost("/services/{service}/release", ReleaseAsync).RequireAuthorization(Policies.OperateByKey).Produces<Released>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(503)
            .WithSummary("Gives one parked message, or all of a service, its tries again.");
        operations.MapGet("/messages", async (ServicesClient services, FaultedMessageDesk desk, CancellationToken cancellationToken) =>
            {
                await desk.LearnAsync(await services.LookAsync(cancellationToken), cancellationToken);
                return TypedResults.Ok(await desk.LookAsync(cancellationToken));
            })
            .RequireAuthorization(Policies.OperateByKey).WithSummary("Error and dead-letter queues: counts, and the oldest messages with their faults.");
        operations.MapPost("/messages/send-again", SendAgainAsync).RequireAuthorization(Policies.OperateByKey).Produces<SentAgain>().ProducesProblem(400).ProducesProblem(503)
            .WithSummary("Sends one message (key) or those that fault alike to the queue they were for; dryRun only counts those shown.");
    }

    static async Task<IResult> ReleaseAsync(string service, ReleaseBody body, HttpContext context, ServicesClient services, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (!ServicesClient.Names.Contains(service, StringComparer.Ordinal))
            return TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "No such service", detail: $"There is no service '{service}'; use {string.Join(", ", ServicesClient.Names)}.");
        if (string.IsNullOrWhiteSpace(body.Reason))
            return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
        var who = Callers.NameOf(context);
        await trail.RecordAsync(who, "release parked", null, body.Reason, $"{service} {(body.MessageId is { } id ? id.ToString() : "all")}", cancellationToken);
        return TypedResults.Ok(new Released(service, await services.ReleaseAsync(service, body.MessageId, who, cancellationToken)));
    }

    static async Task<IResult> SendAgainAsync(SendAgainBody body, HttpContext context, FaultedMessageDesk desk, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(body.Queue))
            return Problems.BadInput("queue", "is missing; GET /api/operations/messages lists those that hold something");
        var selection = new FaultedSelection(body.Queue, body.Key, body.FaultType, body.MessageType);
        var overview = await desk.LookAsync(cancellationToken);
        if (overview.Unavailable is { } unavailable)
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "The queues cannot be reached", detail: unavailable);
        if (overview.Queues.FirstOrDefault(queue => queue.Name == body.Queue) is not { } queue)
            return Problems.BadInput("queue", $"'{body.Queue}' holds no faulted message; GET /api/operations/messages lists those that do");
        var count = queue.Messages.Count(selection.Names);
        if (body.DryRun)
            return TypedResults.Ok(new SentAgain(count, true));
        if (string.IsNullOrWhiteSpace(body.Reason))
            return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
        await trail.RecordAsync(Callers.NameOf(context), "send again", null, body.Reason, selection.Describe(count), cancellationToken);
        try
        {
            return TypedResults.Ok(new SentAgain(await desk.SendAgainAsync(selection, count, cancellationToken), false));
        }
        catch (BrokerUnavailableException exception)
        {
            return TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: "Not all were sent again", detail: exception.Message);
        }
    }
}

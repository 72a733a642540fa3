using Assay.Dashboard.Access;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Spending;

namespace Assay.Dashboard.Api;

public sealed record ReasonBody(string? Reason);

/// <summary>/api/spending: money is the gateway's, this only asks.</summary>
static class SpendingApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var spending = api.MapGroup("/spending").WithTags("Spending");
        spending.MapGet("/", async Task<IResult> (Guid? auditId, int? days, GatewayClient gateway, CancellationToken cancellationToken) => days is < 0 or > 366
                ? Problems.BadInput("days", "must be 0 to 366; so many UTC days, today included, are told by engine")
                : TypedResults.Ok(await gateway.SpendingAsync(auditId, days ?? 0, cancellationToken)))
            .RequireAuthorization(Policies.Read).Produces<SpendingView>().ProducesProblem(400).ProducesProblem(503).WithSummary("Scopes, burn rate, halt, calls in doubt; with days the cost by day and engine.");
        spending.MapPost("/halt", async Task<IResult> (ReasonBody body, HttpContext context, GatewayClient gateway, OperatorTrail trail, CancellationToken cancellationToken) =>
            {
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                await trail.RecordAsync(Callers.NameOf(context), "halt", null, body.Reason, null, cancellationToken);
                return TypedResults.Ok(await gateway.HaltAsync(body.Reason, Callers.NameOf(context), cancellationToken));
            })
            .TakesNoTurn().RequireAuthorization(Policies.OperateByKey).Produces<HaltView>().ProducesProblem(400).ProducesProblem(503).WithSummary("Stops all spending everywhere; answers once no call can leave any more.");
        spending.MapPost("/resume", async Task<IResult> (ReasonBody body, HttpContext context, GatewayClient gateway, OperatorTrail trail, CancellationToken cancellationToken) =>
            {
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                await trail.RecordAsync(Callers.NameOf(context), "resume", null, body.Reason, null, cancellationToken);
                return TypedResults.Ok(await gateway.ResumeAsync(body.Reason, Callers.NameOf(context), cancellationToken));
            })
            .RequireAuthorization(Policies.OperateByKey).Produces<HaltView>().ProducesProblem(400).ProducesProblem(503).WithSummary("Allows spending again.");
    }
}

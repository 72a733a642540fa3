using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Pages;

namespace Assay.Dashboard.Rebuild;

public sealed record RebuildBody(string? Reason, bool DryRun = false);

/// <summary>What is, or would be, told anew.</summary>
public sealed record RebuildStarted(int Audits, bool DryRun);

/// <summary>/api/operations/read-model and the operator's form.</summary>
static class RebuildEndpoints
{
    public static void MapApi(RouteGroupBuilder api)
    {
        var group = api.MapGroup("/operations/read-model").WithTags("Operations");
        group.MapGet("", async (ReadModelRebuild rebuild, CancellationToken cancellationToken) => TypedResults.Ok(await rebuild.StateAsync(cancellationToken)))
            .RequireAuthorization(Policies.OperateByKey).WithSummary("Where the rebuild of the read model stands.");
        group.MapPost("/rebuild", async Task<IResult> (RebuildBody body, HttpContext context, ReadModelRebuild rebuild, CancellationToken cancellationToken) =>
            {
                if (body.DryRun)
                    return TypedResults.Ok(new RebuildStarted(await rebuild.CountAsync(cancellationToken), true));
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                return TypedResults.Accepted("/api/operations/read-model", new RebuildStarted(await rebuild.StartAsync(Callers.NameOf(context), body.Reason, cancellationToken), false));
            })
            .RequireAuthorization(Policies.OperateByKey).Produces<RebuildStarted>(202).Produces<RebuildStarted>().ProducesProblem(400)
            .WithSummary("Has every ended audit told anew by saga, ledger and analysis; dryRun only counts them.");
    }

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/operations/read-model/rebuild", async (ReadModelRebuild rebuild, CancellationToken cancellationToken) =>
            PageEndpoints.Page<RebuildPage>(new { Count = await rebuild.CountAsync(cancellationToken) })).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/read-model/rebuild", async (HttpContext context, ReadModelRebuild rebuild, CancellationToken cancellationToken) =>
        {
            var form = await context.Request.ReadFormAsync(cancellationToken);
            if (string.IsNullOrWhiteSpace(form["reason"]))
                return PageEndpoints.Page<RebuildPage>(new { Count = await rebuild.CountAsync(cancellationToken), Error = "Say why; it is kept with who and when." }, StatusCodes.Status400BadRequest);
            await rebuild.StartAsync(Callers.NameOf(context), form["reason"].ToString(), cancellationToken);
            return TypedResults.LocalRedirect("/operations#read-model");
        }).RequireAuthorization(Policies.Operate);
    }
}

using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Operations;
using MassTransit;

namespace Assay.Dashboard.Integrity;

public sealed record IntegrityBody(string? Cursor, bool Repair = true, string? Reason = null);

/// <summary>/api/integrity: a page of the comparison of saga, ledger, analysis and read model.</summary>
static class IntegrityApi
{
    /// <summary>Longer than the saga itself waits for the three others.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    public static void Map(RouteGroupBuilder api) => api
        .MapPost("/integrity", async Task<IResult> (IntegrityBody body, HttpContext context, OperatorTrail trail, IRequestClient<CheckIntegrity> saga, CancellationToken cancellationToken) =>
        {
            // One walk over all pages is one action.
            if (body is { Repair: true, Cursor: null or "" })
                await trail.RecordAsync(Callers.NameOf(context), "compare and repair", null, body.Reason, null, cancellationToken);
            try
            {
                return TypedResults.Ok((await saga.GetResponse<IntegrityPage>(new CheckIntegrity { Cursor = body.Cursor, Repair = body.Repair }, cancellationToken, Patience)).Message);
            }
            catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
            {
                return TypedResults.Problem($"The saga was asked to compare the services and did not answer: {exception.Message} Check that it runs (/health/ready), then ask again.", statusCode: StatusCodes.Status503ServiceUnavailable);
            }
        })
        .RequireAuthorization(Policies.OperateByKey).WithTags("Operations").Produces<IntegrityPage>().ProducesProblem(503)
        .WithSummary("Compares a page of audits between the services and has the read model repaired; send next as cursor until it is null.");
}

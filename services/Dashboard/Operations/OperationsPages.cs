using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Spending;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Operations;

/// <summary>The operator's pages.</summary>
static class OperationsPages
{
    public static void Map(RouteGroupBuilder pages) => pages.MapGet("/operations", OperationsAsync).RequireAuthorization(Policies.Read);

    static async Task<IResult> OperationsAsync(DashboardDbContext db, AuditReader reader, GatewayClient gateway, TimeProvider time, CancellationToken cancellationToken)
    {
        var live = await reader.ListAsync(new AuditFilter("live"), 1, 100, cancellationToken);
        var failed = await db.Audits.AsNoTracking().Where(a => a.Status == AuditStates.Failed)
            .GroupBy(a => a.FailureReason!).Select(g => new { Reason = g.Key, Count = g.Count(), LatestAt = g.Max(a => a.CreatedAt) }).OrderByDescending(g => g.Count).Take(20).ToListAsync(cancellationToken);
        List<OperationsPage.FailureGroup> failures = [];
        foreach (var group in failed)
        {
            var latest = await db.Audits.AsNoTracking().Where(a => a.Status == AuditStates.Failed && a.FailureReason == group.Reason && a.CreatedAt == group.LatestAt).Select(a => a.AuditId).FirstOrDefaultAsync(cancellationToken);
            failures.Add(new OperationsPage.FailureGroup(group.Reason, group.Count, latest));
        }

        var actions = await db.OperatorActions.AsNoTracking().OrderByDescending(a => a.At).Take(50).ToListAsync(cancellationToken);
        IReadOnlyList<EngineInfo>? engines = null;
        try
        {
            engines = await gateway.EnginesAsync(cancellationToken);
        }
        catch (GatewayUnavailableException)
        {
            // The page says that the gateway does not answer; the rest of it does not need it.
        }

        return PageEndpoints.Page<OperationsPage>(new { LiveAudits = live.Items, Failures = failures, Actions = actions, Engines = engines, Now = time.GetUtcNow().UtcDateTime });
    }
}

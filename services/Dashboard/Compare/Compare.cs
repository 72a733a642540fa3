using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Reports;

namespace Assay.Dashboard.Compare;

/// <summary>Two audits side by side; the Analyzer pairs them by query.</summary>
static class CompareEndpoints
{
    public static void MapApi(RouteGroupBuilder api) => api.MapGet("/audits/{id:guid}/compare/{other:guid}", async Task<IResult> (Guid id, Guid other, AuditReader reader, AnalyzerClient analyzer, CancellationToken cancellationToken) =>
        {
            var pair = await PairAsync(id, other, reader, cancellationToken);
            if (pair.Missing is { } missing)
                return Problems.NoAudit(missing);
            return TypedResults.Ok(await analyzer.CompareAsync(pair.Later!.AuditId, pair.Earlier!.AuditId, cancellationToken));
        })
        .RequireAuthorization(Policies.Read).WithTags("Audits").Produces<AuditsCompared>().ProducesProblem(404).ProducesProblem(503).WithSummary("Metric by metric, paired by query; the later audit minus the earlier one.");

    public static void MapPages(RouteGroupBuilder pages) => pages.MapGet("/audits/{id:guid}/compare/{other:guid}", async Task<IResult> (Guid id, Guid other, AuditReader reader, AnalyzerClient analyzer, CancellationToken cancellationToken) =>
        {
            var pair = await PairAsync(id, other, reader, cancellationToken);
            if (pair.Missing is { } missing)
                return PageEndpoints.NoAudit(missing);
            try
            {
                return PageEndpoints.Page<ComparePage>(new { Later = pair.Later!, Earlier = pair.Earlier!, Compared = await analyzer.CompareAsync(pair.Later!.AuditId, pair.Earlier!.AuditId, cancellationToken) });
            }
            catch (TextsUnavailableException exception)
            {
                return PageEndpoints.Page<ComparePage>(new { Later = pair.Later!, Earlier = pair.Earlier!, Error = exception.Message }, StatusCodes.Status503ServiceUnavailable);
            }
        })
        .RequireAuthorization(Policies.Read);

    static async Task<(AuditStatus? Later, AuditStatus? Earlier, Guid? Missing)> PairAsync(Guid id, Guid other, AuditReader reader, CancellationToken cancellationToken)
    {
        var one = await reader.StatusAsync(id, cancellationToken);
        var two = await reader.StatusAsync(other, cancellationToken);
        if (one is null || two is null)
            return (null, null, one is null ? id : other);
        return one.RegisteredAt >= two.RegisteredAt ? (one, two, null) : (two, one, null);
    }
}

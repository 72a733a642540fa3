using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Reports;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Rederive;

/// <summary>Other names for a past audit: what is left out stays as it was.</summary>
sealed record RederiveBody(Brand? Brand = null, IReadOnlyList<Competitor>? Competitors = null, string? MetricsVersion = null);

/// <summary>A past audit read again under other names or newer rules, old and new side by side; free, and nothing stored changes.</summary>
static class RederiveEndpoints
{
    const int MaxBody = 200_000;

    public static void MapApi(RouteGroupBuilder api) => api.MapPost("/audits/{id:guid}/rederive", async Task<IResult> (Guid id, HttpRequest http, AuditReader reader, AnalyzerClient analyzer, CancellationToken cancellationToken) =>
        {
            if (await reader.StatusAsync(id, cancellationToken) is null)
                return Problems.NoAudit(id);
            var (body, problem) = await ReadAsync(http, cancellationToken);
            if (body is null)
                return Problems.BadInput("body", problem ?? "is not readable");
            if (Check(id, body).FirstOrDefault() is { } wrong)
                return Problems.BadInput(wrong.Field, wrong.Problem);
            var rederived = await analyzer.RederiveAsync(id, body, cancellationToken);
            return rederived.Reason is { } reason ? Problems.Conflict(id, "NotRederived", reason) : TypedResults.Ok(rederived);
        })
        .RequireAuthorization(Policies.Read).WithTags("Audits").WithIdempotencyKey(IdempotencyUse.None).Accepts<RederiveBody>("application/json").Produces<AuditRederived>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503)
        .WithSummary("Reads a past audit's stored answers again under other aliases, competitors or another metrics version, at no cost; nothing stored changes.");

    public static void MapPages(RouteGroupBuilder pages)
    {
        pages.MapGet("/audits/{id:guid}/rederive", PageAsync).RequireAuthorization(Policies.Read);
        PageEndpoints.Form(pages, "/audits/{id:guid}/rederive", SubmitAsync).RequireAuthorization(Policies.Read);
    }

    static async Task<IResult> PageAsync(Guid id, AuditReader reader, DashboardDbContext db, CancellationToken cancellationToken) =>
        await reader.StatusAsync(id, cancellationToken) is not { } status ? PageEndpoints.NoAudit(id)
        : await RequestOfAsync(id, db, cancellationToken) is not { } request ? Unknown(id)
        : PageEndpoints.Page<RederivePage>(new { Status = status, Form = RederiveForm.Of(request) });

    /// <summary>No redirect: the result is kept nowhere, so the answer to the form is the page itself.</summary>
    static async Task<IResult> SubmitAsync(Guid id, HttpContext context, AuditReader reader, DashboardDbContext db, AnalyzerClient analyzer, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return PageEndpoints.NoAudit(id);
        if (await RequestOfAsync(id, db, cancellationToken) is not { } request)
            return Unknown(id);
        var form = RederiveForm.From(await context.Request.ReadFormAsync(cancellationToken));
        var body = form.Read(request);
        if (Check(id, body).ToList() is { Count: > 0 } problems)
            return PageEndpoints.Page<RederivePage>(new { Status = status, Form = form, Problems = (IReadOnlyList<RequestProblem>)problems }, StatusCodes.Status400BadRequest);
        try
        {
            return PageEndpoints.Page<RederivePage>(new { Status = status, Form = form, Result = await analyzer.RederiveAsync(id, body, cancellationToken) });
        }
        catch (TextsUnavailableException exception)
        {
            return PageEndpoints.Page<RederivePage>(new { Status = status, Form = form, Error = exception.Message }, StatusCodes.Status503ServiceUnavailable);
        }
    }

    static async Task<RequestAudit?> RequestOfAsync(Guid id, DashboardDbContext db, CancellationToken cancellationToken) =>
        await db.Audits.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == id, cancellationToken) is { } row ? AuditJson.Request(row) : null;

    static IResult Unknown(Guid id) => PageEndpoints.Message("Nothing to read again", $"The request of audit {id} is not known here yet, so its names are not either.", StatusCodes.Status409Conflict, $"/audits/{id}", "Back to the audit");

    /// <summary>The names must be ones an audit could have been requested with.</summary>
    internal static IEnumerable<RequestProblem> Check(Guid auditId, RederiveBody body) =>
        AuditRequestRules.Check(new RequestAudit
        {
            AuditId = auditId,
            Brand = body.Brand ?? new Brand { Name = "unchanged" },
            Competitors = body.Competitors ?? [],
            Queries = ["unchanged"],
            Engines = ["unchanged"],
            CeilingUsd = 1,
        });

    static async Task<(RederiveBody? Body, string? Problem)> ReadAsync(HttpRequest http, CancellationToken cancellationToken)
    {
        using var text = new MemoryStream();
        var buffer = new byte[8192];
        for (int read; (read = await http.Body.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            text.Write(buffer, 0, read);
            if (text.Length > MaxBody)
                return (null, $"is longer than {MaxBody} bytes");
        }

        if (text.Length == 0)
            return (new RederiveBody(), null);
        try
        {
            return (JsonSerializer.Deserialize<RederiveBody>(text.GetBuffer().AsSpan(0, (int)text.Length), AssayJson.Options) ?? new RederiveBody(), null);
        }
        catch (JsonException exception)
        {
            return (null, $"is not as expected: {exception.Message} Send {{ \"brand\": {{ \"name\": \"…\", \"aliases\": [\"…\"] }}, \"competitors\": [ {{ \"name\": \"…\" }} ] }}, or leave out what stays.");
        }
    }
}

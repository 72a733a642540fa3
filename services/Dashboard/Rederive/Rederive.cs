using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Reports;
using MassTransit;

namespace Assay.Dashboard.Rederive;

/// <summary>Other names for a past audit: what is left out stays as it was.</summary>
sealed record RederiveBody(Brand? Brand = null, IReadOnlyList<Competitor>? Competitors = null);

/// <summary>A past audit read again under other names or newer rules, old and new side by side; free, and nothing stored changes.</summary>
static class RederiveEndpoints
{
    const int MaxBody = 200_000;

    /// <summary>Thousands of answers may have to be read.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public static void MapApi(RouteGroupBuilder api) => api.MapPost("/audits/{id:guid}/rederive", async Task<IResult> (Guid id, HttpRequest http, AuditReader reader, IRequestClient<RederiveAudit> analyzer, CancellationToken cancellationToken) =>
        {
            if (await reader.StatusAsync(id, cancellationToken) is null)
                return Problems.NoAudit(id);
            var (body, problem) = await ReadAsync(http, cancellationToken);
            if (body is null)
                return Problems.BadInput("body", problem ?? "is not readable");
            if (Check(id, body).FirstOrDefault() is { } wrong)
                return Problems.BadInput(wrong.Field, wrong.Problem);
            try
            {
                var response = await analyzer.GetResponse<AuditRederived>(new RederiveAudit { AuditId = id, Brand = body.Brand, Competitors = body.Competitors }, cancellationToken, Patience);
                return response.Message.Reason is { } reason ? Problems.Conflict(id, "NotScored", reason) : TypedResults.Ok(response.Message);
            }
            catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
            {
                throw new TextsUnavailableException($"The Analyzer was asked to re-derive audit {id} and did not answer: {exception.Message} Check that it runs, then ask again.", exception);
            }
        })
        .RequireAuthorization(Policies.Read).WithTags("Audits").Accepts<RederiveBody>("application/json").Produces<AuditRederived>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(503)
        .WithSummary("Reads a past audit's stored answers again under other aliases or competitors, at no cost; nothing stored changes.");

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

using System.Text.Json;
using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Dashboard.Access;
using Assay.Dashboard.Answers;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Database;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Reports;
using Assay.Dashboard.Spending;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Api;

/// <summary>What became of a command, with the way to follow it.</summary>
public sealed record AuditTicket(Guid AuditId, string Status, int Attempt, bool Reused, Guid? ExistingAuditId, string? Message, AuditLinks Links);

public sealed record CancelBody(string? Reason);

public sealed record RetryBody(int? FromAttempt, string? Reason, decimal? CeilingUsd, bool AskInDoubtAgain);

/// <summary>/api/audits</summary>
static class AuditsApi
{
    const int MaxBody = 4 * 1024 * 1024;
    static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    public static void Map(RouteGroupBuilder api)
    {
        var audits = api.MapGroup("/audits").WithTags("Audits");
        audits.MapPost("/", RequestAsync).RequireAuthorization(Policies.ProduceByKey).Accepts<RequestAudit>("application/json")
            .Produces<AuditTicket>(StatusCodes.Status202Accepted).Produces<AuditTicket>().ProducesProblem(400).ProducesProblem(409).ProducesProblem(413).ProducesProblem(422).WithIdempotencyKey(IdempotencyUse.NamesWhatIsMade)
            .WithSummary("Requests an audit. auditId (or the Idempotency-Key header) makes a repetition safe.");
        audits.MapPost("/quote", QuoteAsync).RequireAuthorization(Policies.Read).Accepts<RequestAudit>("application/json")
            .Produces<AuditQuoted>().ProducesProblem(400).ProducesProblem(413).ProducesProblem(503).WithIdempotencyKey(IdempotencyUse.None).WithSummary("What an audit would cost, without starting it.");
        audits.MapGet("/", ListAsync).RequireAuthorization(Policies.Read).Produces<Paged<AuditStatus>>().ProducesProblem(400).WithSummary("Audits, newest first. status: a state, live or ended.");
        audits.MapGet("/{id:guid}", StatusAsync).RequireAuthorization(Policies.Read).Produces<AuditStatus>().ProducesProblem(404).WithSummary("One audit's present state.");
        audits.MapGet("/{id:guid}/events", EventsAsync).TakesNoTurn().RequireAuthorization(Policies.Read).Produces<AuditStatus>(contentType: "text/event-stream").ProducesProblem(404)
            .WithSummary("The state, again on each change, as server-sent events 'status'; 'end' closes.");
        audits.MapGet("/{id:guid}/report", ReportAsync).RequireAuthorization(Policies.Read).Produces<Report>(StatusCodes.Status200OK, "application/json", "text/html", "text/csv").ProducesProblem(400).ProducesProblem(404).ProducesProblem(503)
            .WithSummary("The report: format=json (default), html or csv, or by Accept.");
        audits.MapGet("/{id:guid}/answers", AnswersAsync).RequireAuthorization(Policies.Read).Produces<Paged<AnswerSummary>>().ProducesProblem(400).ProducesProblem(404).WithSummary("Answers without their texts.");
        audits.MapGet("/{id:guid}/answers/{callKey}", AnswerAsync).RequireAuthorization(Policies.Read).Produces<AnswerDetail>().ProducesProblem(404).ProducesProblem(503).WithSummary("One answer with its text.");
        audits.MapPost("/{id:guid}/cancel", CancelAsync).RequireAuthorization(Policies.ProduceByKey).Produces<AuditTicket>(StatusCodes.Status202Accepted).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409)
            .WithSummary("Ends a live audit; what was paid is kept.");
        audits.MapPost("/{id:guid}/retry", RetryAsync).RequireAuthorization(Policies.ProduceByKey).Produces<AuditTicket>(StatusCodes.Status202Accepted).Produces<AuditTicket>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(422)
            .WithSummary("Starts the next attempt of a failed or cancelled audit; it pays only for what is missing.");
    }

    static async Task<IResult> RequestAsync(HttpContext context, AuditCommands commands, CancellationToken cancellationToken)
    {
        var (read, tooLarge) = await ReadAsync(context, cancellationToken);
        if (tooLarge is not null)
            return tooLarge;
        if (!read.IsValid)
            return Problems.Invalid(read);
        var request = read.Request!;
        return Answer(context, request.AuditId, await commands.RequestAsync(request, cancellationToken));
    }

    static async Task<IResult> QuoteAsync(HttpContext context, GatewayClient gateway, CancellationToken cancellationToken)
    {
        var (read, tooLarge) = await ReadAsync(context, cancellationToken);
        if (tooLarge is not null)
            return tooLarge;
        return read.IsValid ? TypedResults.Ok(await gateway.QuoteAsync(read.Request!, cancellationToken)) : Problems.Invalid(read);
    }

    static async Task<(ReadRequest Read, IResult? TooLarge)> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + count > MaxBody)
                return (new ReadRequest(null, null, []), TypedResults.Problem(statusCode: StatusCodes.Status413PayloadTooLarge, title: "The request is too large", detail: $"A request has at most {MaxBody / 1024 / 1024} MB; send fewer or shorter queries."));
            body.Write(buffer, 0, count);
        }

        var id = RequestBody.IdOf(context.Request.Headers["Idempotency-Key"]);
        return (RequestBody.Read(body.GetBuffer().AsSpan(0, (int)body.Length), id, Callers.NameOf(context)), null);
    }

    static async Task<IResult> ListAsync(HttpContext context, AuditReader reader, string? status, string? brand, string? q, int? page, int? pageSize, CancellationToken cancellationToken)
    {
        var filter = new AuditFilter(status, brand, q);
        if (!filter.IsOfAKnownStatus)
            return Problems.UnknownStatus("status", status);
        var list = await reader.ListAsync(filter, page ?? 1, pageSize ?? 50, cancellationToken);
        return EntityTags.IsKnown(context, EntityTags.OfList(list)) ? EntityTags.NotModified() : TypedResults.Ok(list);
    }

    static async Task<IResult> StatusAsync(Guid id, HttpContext context, AuditReader reader, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return Problems.NoAudit(id);
        return EntityTags.IsKnown(context, EntityTags.Of(status.Version, "status")) ? EntityTags.NotModified() : TypedResults.Ok(status);
    }

    static async Task<IResult> EventsAsync(Guid id, HttpContext context, IServiceScopeFactory scopes, AuditFeed feed, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        // A scope per look: a listener that stays for an hour must not hold a DbContext.
        async Task<AuditStatus?> LookAsync(CancellationToken token)
        {
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<AuditReader>().StatusAsync(id, token);
        }

        using var changes = feed.Subscribe(id);
        var status = await LookAsync(cancellationToken);
        if (status is null)
            return Problems.NoAudit(id);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        try
        {
            var sent = 0;
            while (true)
            {
                if (status is null)
                    break;
                if (status.Version != sent)
                {
                    await context.Response.WriteAsync($"id: {status.Version}\nevent: status\ndata: {JsonSerializer.Serialize(status, AssayJson.Options)}\n\n", ending.Token);
                    sent = status.Version;
                }
                else
                    await context.Response.WriteAsync(": still here\n\n", ending.Token);

                await context.Response.Body.FlushAsync(ending.Token);
                if (ReadStates.IsOver(status.Status))
                    break;
                await changes.WaitAsync(Heartbeat, ending.Token);
                status = await LookAsync(ending.Token);
            }

            await context.Response.WriteAsync("event: end\ndata: {}\n\n", ending.Token);
            await context.Response.Body.FlushAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The listener left or the host stops: the stream just ends, and a browser that is still there connects again.
        }

        return TypedResults.Empty;
    }

    static async Task<IResult> ReportAsync(Guid id, string? format, HttpContext context, DashboardDbContext db, ReportReader reports, HtmlReport html, CancellationToken cancellationToken)
    {
        var accept = context.Request.Headers.Accept.ToString();
        var wanted = format?.ToLowerInvariant() ?? (accept.Contains("text/csv", StringComparison.OrdinalIgnoreCase) ? "csv"
            : accept.Contains("text/html", StringComparison.OrdinalIgnoreCase) && !accept.Contains("json", StringComparison.OrdinalIgnoreCase) ? "html" : "json");
        if (wanted is not ("json" or "html" or "csv"))
            return Problems.BadInput("format", $"is '{format}'; use json, html or csv");
        // The representation depends on Accept where no format is named.
        context.Response.Headers.Vary = "Accept";
        if (await EntityTags.OfAuditAsync(db, id, wanted, cancellationToken) is { } tag && EntityTags.IsKnown(context, tag))
            return EntityTags.NotModified();
        if (await reports.ReadAsync(id, withTexts: true, cancellationToken) is not { } report)
            return Problems.NoAudit(id);
        return wanted switch
        {
            "csv" => TypedResults.Text(CsvReport.Write(report), "text/csv; charset=utf-8"),
            "html" => new HtmlReportResult(await html.RenderAsync(report, cancellationToken)),
            _ => TypedResults.Json(report, AssayJson.Options),
        };
    }

    static async Task<IResult> AnswersAsync(Guid id, HttpContext context, AnswerReader answers, DashboardDbContext db, [AsParameters] AnswerFilter filter, int? page, int? pageSize, CancellationToken cancellationToken)
    {
        if (await EntityTags.OfAuditAsync(db, id, "answers", cancellationToken) is not { } tag)
            return Problems.NoAudit(id);
        return EntityTags.IsKnown(context, tag)
            ? EntityTags.NotModified()
            : TypedResults.Ok(await answers.ListAsync(id, filter, page ?? 1, pageSize ?? 50, cancellationToken));
    }

    static async Task<IResult> AnswerAsync(Guid id, string callKey, HttpContext context, AnswerReader answers, DashboardDbContext db, CancellationToken cancellationToken)
    {
        // Unknown keys are not cached: an answer may still come.
        if (await EntityTags.OfAuditAsync(db, id, "answer", cancellationToken) is { } tag
            && await db.Answers.AsNoTracking().AnyAsync(answer => answer.AuditId == id && answer.CallKey == callKey, cancellationToken) && EntityTags.IsKnown(context, tag))
            return EntityTags.NotModified();
        return await answers.ReadAsync(id, callKey, cancellationToken) is { } answer
            ? TypedResults.Ok(answer)
            : TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "No such answer", detail: $"Audit {id} has no answer with the call key {callKey}. GET /api/audits/{id}/answers lists those it has.");
    }

    static async Task<IResult> CancelAsync(Guid id, HttpContext context, [FromBody(EmptyBodyBehavior = Microsoft.AspNetCore.Mvc.ModelBinding.EmptyBodyBehavior.Allow)] CancelBody? body, AuditCommands commands, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var who = Callers.NameOf(context);
        var reason = string.IsNullOrWhiteSpace(body?.Reason) ? $"cancelled by {who}" : body.Reason;
        await trail.RecordAsync(who, "cancel", id, reason, null, cancellationToken);
        var outcome = await commands.CancelAsync(new CancelAudit { AuditId = id, Reason = reason, RequestedBy = who }, cancellationToken);
        if (outcome.Status is null)
            return Problems.NoAudit(id);
        if (outcome.Status.Status != AuditStates.Cancelled && ReadStates.IsOver(outcome.Status.Status))
            return Problems.Conflict(id, "NotCancellable", $"Audit {id} cannot be cancelled: it is {outcome.Status.Status} already.");
        return Ticket(context, outcome.Status, outcome.Decided ? null : "The cancellation is on its way.");
    }

    static async Task<IResult> RetryAsync(Guid id, HttpContext context, [FromBody(EmptyBodyBehavior = Microsoft.AspNetCore.Mvc.ModelBinding.EmptyBodyBehavior.Allow)] RetryBody? body, AuditReader reader, AuditCommands commands, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return Problems.NoAudit(id);
        if (body?.CeilingUsd is <= 0 or > 1_000_000)
            return Problems.BadInput("ceilingUsd", "must be above 0 and at most 1 000 000, or left out");
        var who = Callers.NameOf(context);
        var reason = string.IsNullOrWhiteSpace(body?.Reason) ? $"retried by {who}" : body.Reason;
        await trail.RecordAsync(who, "retry", id, reason, body?.AskInDoubtAgain == true ? "permits one more paid try of calls in doubt" : null, cancellationToken);
        return Answer(context, id, await commands.RetryAsync(new RetryAudit
        {
            AuditId = id, FromAttempt = body?.FromAttempt ?? status.Attempt, Reason = reason, CeilingUsd = body?.CeilingUsd, AskInDoubtAgain = body?.AskInDoubtAgain ?? false, RequestedBy = who,
        }, cancellationToken));
    }

    static IResult Answer(HttpContext context, Guid auditId, CommandOutcome outcome)
    {
        if (outcome.Status is not { } status)
            return outcome.Refusal is { } deleted ? Problems.Refused(auditId, deleted) : Problems.NoAudit(auditId);
        if (outcome.Refusal is { Reason: RejectionReasons.AlreadyCompleted, ExistingAuditId: { } existing })
        {
            var links = AuditLinks.Of(existing);
            context.Response.Headers.Location = links.Self;
            return TypedResults.Ok(new AuditTicket(auditId, AuditStates.Completed, 1, true, existing, outcome.Refusal.Detail, links));
        }

        return outcome.Refusal is { } refusal
            ? Problems.Refused(auditId, refusal)
            : Ticket(context, status, outcome.Decided ? null : "The request is stored and on its way; nothing has decided about it yet.");
    }

    static IResult Ticket(HttpContext context, AuditStatus status, string? message)
    {
        var ticket = new AuditTicket(status.AuditId, status.Status, status.Attempt, false, null, message, status.Links);
        context.Response.Headers.Location = status.Links.Self;
        return ReadStates.IsOver(status.Status) && context.Request.Path.Value?.EndsWith("/cancel", StringComparison.Ordinal) != true
            ? TypedResults.Ok(ticket)
            : TypedResults.Accepted(status.Links.Self, ticket);
    }
}

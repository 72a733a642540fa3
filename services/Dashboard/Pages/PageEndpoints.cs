using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Answers;
using Assay.Dashboard.Api;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Bulk;
using Assay.Dashboard.Compare;
using Assay.Dashboard.Database;
using Assay.Dashboard.Deletion;
using Assay.Dashboard.Engines;
using Assay.Dashboard.Lineage;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Rebuild;
using Assay.Dashboard.Rederive;
using Assay.Dashboard.Reports;
using Assay.Dashboard.Settings;
using Assay.Dashboard.Sharing;
using Assay.Dashboard.Spending;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Pages;

/// <summary>The pages: each gets its data here and renders a component without a circuit. Forms post and redirect.</summary>
static class PageEndpoints
{
    public const string SignInLimit = "sign-in";
    public const string SharedLimit = "shared";

    public static void Map(IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").TakeTurns().ExcludeFromDescription();
        pages.MapGet("/login", LoginAsync).AllowAnonymous().RequireRateLimiting(SignInLimit);
        Form(pages, "/login", LoginByKeyAsync).AllowAnonymous().RequireRateLimiting(SignInLimit);
        Form(pages, "/logout", LogoutAsync).RequireAuthorization(Policies.Read);

        pages.MapGet("/", ListAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/rows", RowsAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/events", ListEventsAsync).TakesNoTurn().RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/new", NewAsync).RequireAuthorization(Policies.Produce);
        Form(pages, "/audits/new", RequestAsync).RequireAuthorization(Policies.Produce);
        Form(pages, "/audits/quote", QuoteAsync).RequireAuthorization(Policies.Produce);
        pages.MapGet("/audits/{id:guid}", AuditAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/{id:guid}/live", LiveAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/{id:guid}/report", ReportAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/{id:guid}/answers", AnswersAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/{id:guid}/answers/{callKey}", AnswerAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/audits/{id:guid}/cancel", CancelPageAsync).RequireAuthorization(Policies.Produce);
        Form(pages, "/audits/{id:guid}/cancel", CancelAsync).AsksWhy().RequireAuthorization(Policies.Produce);
        pages.MapGet("/audits/{id:guid}/retry", RetryPageAsync).RequireAuthorization(Policies.Produce);
        Form(pages, "/audits/{id:guid}/retry", RetryAsync).AsksWhy().RequireAuthorization(Policies.Produce);

        pages.MapGet("/spending", SpendingAsync).RequireAuthorization(Policies.Read);
        pages.MapGet("/spending/stop", () => StopPage(null, null)).TakesNoTurn().RequireAuthorization(Policies.Operate);
        Form(pages, "/spending/stop", StopAsync).TakesNoTurn().RequireAuthorization(Policies.Operate);
        pages.MapGet("/spending/resume", () => ResumePage(null, null)).RequireAuthorization(Policies.Operate);
        Form(pages, "/spending/resume", ResumeAsync).AsksWhy().RequireAuthorization(Policies.Operate);
        pages.MapGet("/metrics-explained", () => Page<MetricsPage>()).RequireAuthorization(Policies.Read);
        OperationsPages.Map(pages);
        RebuildEndpoints.MapPages(pages);
        EnginesPages.Map(pages);
        CompareEndpoints.MapPages(pages);
        RederiveEndpoints.MapPages(pages);
        LineageEndpoints.MapPages(pages);
        SharingEndpoints.MapPages(pages);
        BulkEndpoints.MapPages(pages);
        SettingsEndpoints.MapPages(pages);
        pages.MapGet("/audits/{id:guid}/delete", DeletePageAsync).RequireAuthorization(Policies.Operate);
        Form(pages, "/audits/{id:guid}/delete", DeleteAsync).AsksWhy().RequireAuthorization(Policies.Operate);
    }

    /// <summary>A form's target: the token is checked, since the endpoint itself takes no form parameter that would ask for it.</summary>
    public static RouteHandlerBuilder Form(RouteGroupBuilder pages, string pattern, Delegate handler) =>
        pages.MapPost(pattern, handler).AddEndpointFilter(async (context, next) =>
            await context.HttpContext.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context.HttpContext)
                ? await next(context)
                : Message("Not sent", "The form's token does not belong to this session. Go back, reload the page and send the form again.", StatusCodes.Status400BadRequest));

    /// <summary>A form without a reason does nothing. Browsers ask for it before they send; this is for what does not.</summary>
    public static RouteHandlerBuilder AsksWhy(this RouteHandlerBuilder form) => form.AddEndpointFilter(async (context, next) =>
        string.IsNullOrWhiteSpace((await context.HttpContext.Request.ReadFormAsync(context.HttpContext.RequestAborted))["reason"])
            ? Message("Say why", "Nothing was done: the reason is missing. It is kept with your name and the time. Go back, give one and send the form again.", StatusCodes.Status400BadRequest)
            : await next(context));

    public static IResult Page<T>(object? parameters = null, int status = StatusCodes.Status200OK) where T : IComponent
    {
        var page = parameters is null ? new RazorComponentResult<T>() : new RazorComponentResult<T>(parameters);
        page.StatusCode = status;
        return status == StatusCodes.Status503ServiceUnavailable ? new ComeAgain(page) : page;
    }

    /// <summary>What is not there now says when to look again.</summary>
    sealed class ComeAgain(IResult page) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.RetryAfter = Problems.RetryAfter;
            return page.ExecuteAsync(httpContext);
        }
    }

    public static IResult Message(string title, string text, int status, string? backHref = null, string? backText = null) =>
        Page<MessagePage>(new { Title = title, Text = text, BackHref = backHref, BackText = backText }, status);

    public static IResult NoAudit(Guid id) => Message("No such audit", $"There is no audit {id}. It may have been deleted.", StatusCodes.Status404NotFound);

    /// <summary>Looking at the form is no try; a link's token and a key are.</summary>
    public static bool OnlyShowsSignIn(HttpRequest request) => HttpMethods.IsGet(request.Method) && string.IsNullOrEmpty(request.Query["token"]);

    static IResult Fragment<T>(object parameters) where T : IComponent => new RazorComponentResult<T>(parameters);

    static async Task<IResult> LoginAsync(string? token, string? returnTo, HttpContext context, SignIn signIn, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(token))
            return Page<LoginPage>(new { ReturnTo = Local(returnTo) });
        if (await signIn.ByLinkAsync(token, cancellationToken) is not { } session)
            return Page<LoginPage>(new { Error = "This link was used already, or is older than 15 minutes. Make a new one, or type a key.", ReturnTo = Local(returnTo) }, StatusCodes.Status403Forbidden);
        SessionAuthentication.SetCookie(context, session);
        return TypedResults.LocalRedirect(Local(returnTo));
    }

    static async Task<IResult> LoginByKeyAsync(HttpContext context, SignIn signIn, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var returnTo = Local(form["returnTo"]);
        if (await signIn.ByKeyAsync(form["key"].ToString(), cancellationToken) is not { } session)
            return Page<LoginPage>(new { Error = "This key is unknown or revoked.", ReturnTo = returnTo }, StatusCodes.Status403Forbidden);
        SessionAuthentication.SetCookie(context, session);
        return TypedResults.LocalRedirect(returnTo);
    }

    static async Task<IResult> LogoutAsync(HttpContext context, SignIn signIn, CancellationToken cancellationToken)
    {
        if (context.Request.Cookies[SessionAuthentication.CookieName] is { } token)
            await signIn.CloseAsync(token, cancellationToken);
        SessionAuthentication.ClearCookie(context);
        return TypedResults.LocalRedirect("/login");
    }

    /// <summary>Only a path of this host: a login link must not send a person elsewhere.</summary>
    static string Local(string? path) => path is { Length: > 0 } && path[0] == '/' && (path.Length == 1 || path[1] is not ('/' or '\\')) && !path.Any(char.IsControl) ? path : "/";

    static async Task<IResult> ListAsync(string? status, string? brand, string? q, int? page, AuditReader reader, TimeProvider time, CancellationToken cancellationToken)
    {
        var filter = new AuditFilter(status, brand, q);
        return Page<AuditListPage>(new { List = await reader.ListAsync(filter, page ?? 1, 50, cancellationToken), Filter = filter, Now = time.GetUtcNow().UtcDateTime });
    }

    static async Task<IResult> RowsAsync(string? status, string? brand, string? q, int? page, AuditReader reader, TimeProvider time, CancellationToken cancellationToken)
    {
        var filter = new AuditFilter(status, brand, q);
        return Fragment<AuditListRows>(new { List = await reader.ListAsync(filter, page ?? 1, 50, cancellationToken), Filter = filter, Now = time.GetUtcNow().UtcDateTime });
    }

    static async Task<IResult> ListEventsAsync(HttpContext context, AuditFeed feed, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var changes = feed.Subscribe(null);
        try
        {
            await context.Response.WriteAsync(": listening\n\n", ending.Token);
            await context.Response.Body.FlushAsync(ending.Token);
            while (true)
            {
                var changed = await changes.WaitAsync(TimeSpan.FromSeconds(15), ending.Token);
                await context.Response.WriteAsync(changed ? "event: changed\ndata: 1\n\n" : ": still here\n\n", ending.Token);
                await context.Response.Body.FlushAsync(ending.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The page was left or the host stops.
        }

        return TypedResults.Empty;
    }

    static async Task<IResult> AuditAsync(Guid id, AuditReader reader, ReportReader reports, AuditHistory history, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return NoAudit(id);
        var report = status.Status is ReadStates.Requested or AuditStates.Rejected ? null : await reports.ReadAsync(id, withTexts: false, cancellationToken);
        return Page<AuditPage>(new { Status = status, Report = report, Past = await history.ReadAsync(status, cancellationToken), Now = time.GetUtcNow().UtcDateTime });
    }

    static async Task<IResult> LiveAsync(Guid id, int? seen, AuditReader reader, TimeProvider time, CancellationToken cancellationToken) =>
        await reader.StatusAsync(id, cancellationToken) is { } status
            ? Fragment<AuditChange>(new { Status = status, Now = time.GetUtcNow().UtcDateTime, Seen = seen })
            : NoAudit(id);

    static async Task<IResult> ReportAsync(Guid id, ReportReader reports, HtmlReport html, CancellationToken cancellationToken)
    {
        try
        {
            return await reports.ReadAsync(id, withTexts: true, cancellationToken) is { } report ? new HtmlReportResult(await html.RenderAsync(report, cancellationToken)) : NoAudit(id);
        }
        catch (TextsUnavailableException exception)
        {
            return Message("The report cannot be written now", exception.Message, StatusCodes.Status503ServiceUnavailable, $"/audits/{id}", "Back to the audit");
        }
    }

    static async Task<IResult> AnswersAsync(Guid id, [AsParameters] AnswerFilter filter, int? page, AuditReader reader, AnswerReader answers, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return NoAudit(id);
        return Page<AnswersPage>(new { Status = status, List = await answers.ListAsync(id, filter, page ?? 1, 50, cancellationToken), Filter = filter });
    }

    static async Task<IResult> AnswerAsync(Guid id, string callKey, AuditReader reader, AnswerReader answers, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return NoAudit(id);
        AnswerDetail? detail;
        string? unavailable = null;
        try
        {
            detail = await answers.ReadAsync(id, callKey, cancellationToken);
        }
        catch (TextsUnavailableException exception)
        {
            unavailable = exception.Message;
            detail = await answers.ReadWithoutTextAsync(id, callKey, cancellationToken);
        }

        return detail is null
            ? Message("No such answer", $"Audit {id} has no answer with this call key.", StatusCodes.Status404NotFound, $"/audits/{id}/answers", "To its answers")
            : Page<AnswerPage>(new { Status = status, Detail = detail, Unavailable = unavailable });
    }

    static async Task<IResult> NewAsync(Guid? like, HttpContext context, AuditReader reader, DashboardDbContext db, GatewayClient gateway, CancellationToken cancellationToken)
    {
        var engines = await EnginesAsync(gateway, cancellationToken);
        var form = new AuditForm();
        if (like is { } id && await db.Audits.AsNoTracking().SingleOrDefaultAsync(a => a.AuditId == id, cancellationToken) is { } row && AuditJson.Request(row) is { } request)
            form = AuditForm.Like(request);
        else
            form.Engines = [.. (engines ?? []).Where(e => e.Engine != "advisor").Select(e => e.Engine)];
        return Page<NewAuditPage>(new { Form = form, Engines = Askable(engines) });
    }

    static async Task<IResult> RequestAsync(HttpContext context, AuditCommands commands, GatewayClient gateway, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var form = AuditForm.From(await context.Request.ReadFormAsync(cancellationToken));
        var who = Callers.NameOf(context);
        var (request, problems) = form.Read(who);
        var engines = Askable(await EnginesAsync(gateway, cancellationToken));
        if (problems.Count > 0)
            return Page<NewAuditPage>(new { Form = form, Engines = engines, Problems = problems }, StatusCodes.Status400BadRequest);
        if (context.Request.Query.ContainsKey("quote"))
        {
            var (quoted, error) = await QuotedAsync(request, gateway, cancellationToken);
            return Page<NewAuditPage>(new { Form = form, Engines = engines, Quote = quoted, Quoted = request, QuoteError = error });
        }

        await trail.RecordAsync(who, "request", request.AuditId, "new audit", request.Brand.Name, cancellationToken);
        var outcome = await commands.RequestAsync(request, cancellationToken);
        if (outcome.Refusal is { } refusal)
        {
            // The refused id stays refused in the list; the mended form is another request.
            form.AuditId = Guid.CreateVersion7();
            return Page<NewAuditPage>(new { Form = form, Engines = engines, Refusal = refusal }, StatusCodes.Status409Conflict);
        }

        return TypedResults.LocalRedirect($"/audits/{request.AuditId}");
    }

    static async Task<IResult> QuoteAsync(HttpContext context, GatewayClient gateway, CancellationToken cancellationToken)
    {
        var (request, problems) = AuditForm.From(await context.Request.ReadFormAsync(cancellationToken)).Read(Callers.NameOf(context));
        if (problems.Count > 0)
            return Fragment<QuotePanel>(new { Problems = problems });
        var (quote, error) = await QuotedAsync(request, gateway, cancellationToken);
        return Fragment<QuotePanel>(new { Quote = quote, Request = request, Error = error });
    }

    static async Task<(AuditQuoted? Quote, string? Error)> QuotedAsync(RequestAudit request, GatewayClient gateway, CancellationToken cancellationToken)
    {
        try
        {
            return (await gateway.QuoteAsync(request, cancellationToken), null);
        }
        catch (GatewayUnavailableException exception)
        {
            return (null, exception.Message);
        }
    }

    static async Task<IReadOnlyList<EngineInfo>?> EnginesAsync(GatewayClient gateway, CancellationToken cancellationToken)
    {
        try
        {
            return (await gateway.EnginesAsync(cancellationToken)).Engines;
        }
        catch (GatewayUnavailableException)
        {
            // The form says so and lets engines be named by hand.
            return null;
        }
    }

    /// <summary>The advisor plans and drafts; it is not asked what buyers ask.</summary>
    static IReadOnlyList<EngineInfo>? Askable(IReadOnlyList<EngineInfo>? engines) => engines?.Where(engine => engine.Engine != "advisor").ToList();

    static async Task<IResult> CancelPageAsync(Guid id, AuditReader reader, CancellationToken cancellationToken) =>
        await reader.StatusAsync(id, cancellationToken) is not { } status ? NoAudit(id)
        : ReadStates.IsOver(status.Status) ? TypedResults.LocalRedirect($"/audits/{id}")
        : Page<ConfirmPage>(new
        {
            Title = "Cancel this audit", Action = $"/audits/{id}/cancel", Button = "Cancel the audit", BackHref = $"/audits/{id}", Danger = true,
            Text = $"{Show.Short(status.Brand ?? "The audit")} is {status.Status}; {Show.Usd(status.SpentUsd)} is spent. No further call is sent; calls on the wire finish and are recorded. What was answered and paid is kept, and a retry reuses it.",
        });

    static async Task<IResult> CancelAsync(Guid id, HttpContext context, AuditCommands commands, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var who = Callers.NameOf(context);
        var reason = (await context.Request.ReadFormAsync(cancellationToken))["reason"].ToString();
        await trail.RecordAsync(who, "cancel", id, reason, null, cancellationToken);
        var outcome = await commands.CancelAsync(new CancelAudit { AuditId = id, Reason = reason, RequestedBy = who }, cancellationToken);
        return outcome.Status is null ? NoAudit(id) : TypedResults.LocalRedirect($"/audits/{id}");
    }

    static async Task<IResult> RetryPageAsync(Guid id, AuditReader reader, CancellationToken cancellationToken) =>
        await reader.StatusAsync(id, cancellationToken) is not { } status ? NoAudit(id)
        : status.Status is AuditStates.Failed or AuditStates.Cancelled ? Page<RetryPage>(new { Status = status })
        : Message("Nothing to retry", ReadStates.IsOver(status.Status)
            ? $"This audit is {status.Status}; only failed and cancelled audits are tried again. Calls in doubt stay counted as spent. To ask everything once more, request it again."
            : $"This audit is {status.Status}. A retry can permit asking calls in doubt again once it has ended.", StatusCodes.Status409Conflict, $"/audits/{id}", "Back to the audit");

    static async Task<IResult> RetryAsync(Guid id, HttpContext context, AuditReader reader, AuditCommands commands, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(id, cancellationToken) is not { } status)
            return NoAudit(id);
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var who = Callers.NameOf(context);
        var reason = form["reason"].ToString();
        decimal? ceiling = null;
        if (form["ceilingUsd"].ToString() is { Length: > 0 } text)
        {
            if (!decimal.TryParse(text.Replace(',', '.'), System.Globalization.CultureInfo.InvariantCulture, out var amount) || amount is <= 0 or > 1_000_000)
                return Page<RetryPage>(new { Status = status, Error = "The ceiling must be a number above 0 and at most 1 000 000, or left empty.", Typed = form }, StatusCodes.Status400BadRequest);
            ceiling = amount;
        }

        var again = form["askInDoubtAgain"].Count > 0;
        await trail.RecordAsync(who, "retry", id, reason, again ? "permits one more paid try of calls in doubt" : null, cancellationToken);
        var outcome = await commands.RetryAsync(new RetryAudit
        {
            AuditId = id, FromAttempt = int.TryParse(form["fromAttempt"], out var from) ? from : status.Attempt,
            Reason = reason, CeilingUsd = ceiling, AskInDoubtAgain = again, RequestedBy = who,
        }, cancellationToken);
        return outcome.Refusal is { } refusal
            ? Page<RetryPage>(new { Status = outcome.Status ?? status, Error = $"{refusal.Reason}: {refusal.Detail}", Typed = form }, StatusCodes.Status409Conflict)
            : TypedResults.LocalRedirect($"/audits/{id}");
    }

    static async Task<IResult> DeletePageAsync(Guid id, AuditReader reader, CancellationToken cancellationToken) =>
        await reader.StatusAsync(id, cancellationToken) is not { } status ? NoAudit(id)
        : !ReadStates.IsOver(status.Status) ? TypedResults.LocalRedirect($"/audits/{id}")
        : Page<ConfirmPage>(new
        {
            Title = "Delete this audit", Action = $"/audits/{id}/delete", Button = "Delete it for good", BackHref = $"/audits/{id}", Danger = true,
            Text = $"The report of {Show.Short(status.Brand ?? "this audit")}, its answers and texts are gone for good. What it cost stays in the ledger, and what was requested with the saga until it is pruned.",
        });

    static async Task<IResult> DeleteAsync(Guid id, HttpContext context, DashboardDbContext db, AuditDeletion deletion, OperatorTrail trail, CancellationToken cancellationToken)
    {
        if (!await db.Audits.AsNoTracking().AnyAsync(audit => audit.AuditId == id, cancellationToken))
            return NoAudit(id);
        var who = Callers.NameOf(context);
        await trail.RecordAsync(who, "delete", id, (await context.Request.ReadFormAsync(cancellationToken))["reason"], null, cancellationToken);
        try
        {
            return await deletion.DeleteAsync(id, who, cancellationToken) switch
            {
                DeletionOutcome.Deleted => TypedResults.LocalRedirect("/"),
                DeletionOutcome.StillRunning => Message("Still running", $"Audit {id} is still running; cancel it first.", StatusCodes.Status409Conflict, $"/audits/{id}", "Back to the audit"),
                _ => NoAudit(id),
            };
        }
        catch (TextsUnavailableException exception)
        {
            return Message("Not deleted", exception.Message, StatusCodes.Status503ServiceUnavailable, $"/audits/{id}", "Back to the audit");
        }
    }

    static async Task<IResult> SpendingAsync(int? page, GatewayClient gateway, SpendingReader spending, TimeProvider time, CancellationToken cancellationToken)
    {
        const int days = 14;
        SpendingView? view = null;
        string? error = null;
        try
        {
            view = await gateway.SpendingAsync(null, days, cancellationToken);
        }
        catch (GatewayUnavailableException exception)
        {
            error = exception.Message;
        }

        return Page<SpendingPage>(new
        {
            View = view, Error = error, Audits = await spending.AuditsAsync(page ?? 1, 30, cancellationToken), Trees = await spending.TreesAsync(cancellationToken), Today = time.GetUtcNow().UtcDateTime.Date,
            Retriable = await spending.RetriableAsync(view?.InDoubt.Select(call => call.AuditId) ?? [], cancellationToken),
        });
    }

    static IResult StopPage(string? error, string? reason) => Page<ConfirmPage>(new
    {
        Title = "Stop all spending", Action = "/spending/stop", Button = "Stop all spending now", BackHref = "/spending", Section = "spending", Danger = true, Error = error, Reason = reason,
        Text = "No call leaves any more, anywhere, once this returns. Calls on the wire finish and are recorded. Live audits wait until spending is allowed again or their deadline ends them.",
    }, error is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    static IResult ResumePage(string? error, string? reason) => Page<ConfirmPage>(new
    {
        Title = "Allow spending again", Action = "/spending/resume", Button = "Allow spending", BackHref = "/spending", Section = "spending", Error = error, Reason = reason,
        Text = "Waiting audits go on and may spend up to their ceilings.",
    }, error is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    static async Task<IResult> StopAsync(HttpContext context, GatewayClient gateway, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var reason = await ReasonAsync(context, cancellationToken);
        try
        {
            // The stop first: keeping the record must not stand in its way.
            await gateway.HaltAsync(reason, Callers.NameOf(context), cancellationToken);
        }
        catch (GatewayUnavailableException exception)
        {
            return StopPage(exception.Message, reason);
        }

        await trail.RecordAsync(Callers.NameOf(context), "halt", null, reason, null, cancellationToken);
        return TypedResults.LocalRedirect("/spending");
    }

    static async Task<IResult> ResumeAsync(HttpContext context, GatewayClient gateway, OperatorTrail trail, CancellationToken cancellationToken)
    {
        var reason = await ReasonAsync(context, cancellationToken);
        await trail.RecordAsync(Callers.NameOf(context), "resume", null, reason, null, cancellationToken);
        try
        {
            await gateway.ResumeAsync(reason, Callers.NameOf(context), cancellationToken);
        }
        catch (GatewayUnavailableException exception)
        {
            return ResumePage(exception.Message, reason);
        }

        return TypedResults.LocalRedirect("/spending");
    }

    static async Task<string> ReasonAsync(HttpContext context, CancellationToken cancellationToken) =>
        (await context.Request.ReadFormAsync(cancellationToken))["reason"].ToString() is { Length: > 0 } reason ? reason : $"by {Callers.NameOf(context)}, no reason given";
}

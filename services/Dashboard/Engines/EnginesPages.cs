using System.Globalization;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Spending;

namespace Assay.Dashboard.Engines;

/// <summary>Pause, resume and limits of an engine, each with a second step that asks for a reason.</summary>
static class EnginesPages
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/operations/engines/{name}/pause", (string name) => PausePage(name, null, null)).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/engines/{name}/pause", (string name, HttpContext context, EngineActions actions, CancellationToken cancellationToken) =>
            ActAsync(context, (reason, who, _) => actions.PauseAsync(name, reason, who, cancellationToken), (error, reason) => PausePage(name, error, reason), cancellationToken)).AsksWhy().RequireAuthorization(Policies.Operate);
        pages.MapGet("/operations/engines/{name}/resume", (string name) => ResumePage(name, null, null)).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/engines/{name}/resume", (string name, HttpContext context, EngineActions actions, CancellationToken cancellationToken) =>
            ActAsync(context, (reason, who, _) => actions.ResumeAsync(name, reason, who, cancellationToken), (error, reason) => ResumePage(name, error, reason), cancellationToken)).AsksWhy().RequireAuthorization(Policies.Operate);
        pages.MapGet("/operations/engines/{name}/limits", (string name, GatewayClient gateway, CancellationToken cancellationToken) => LimitsPageAsync(name, null, null, gateway, cancellationToken)).RequireAuthorization(Policies.Operate);
        PageEndpoints.Form(pages, "/operations/engines/{name}/limits", SetLimitsAsync).RequireAuthorization(Policies.Operate);
    }

    static async Task<IResult> SetLimitsAsync(string name, HttpContext context, EngineActions actions, GatewayClient gateway, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var (limits, problem) = Read(form);
        if (problem is not null)
            return await LimitsPageAsync(name, form, problem, gateway, cancellationToken);
        try
        {
            var outcome = await actions.SetLimitsAsync(name, limits, Callers.NameOf(context), cancellationToken);
            return outcome.Refusal is { } refusal ? await LimitsPageAsync(name, form, refusal, gateway, cancellationToken) : TypedResults.LocalRedirect("/operations#engines");
        }
        catch (GatewayUnavailableException exception)
        {
            return PageEndpoints.Message("Not known whether it was set", exception.Message, StatusCodes.Status503ServiceUnavailable, "/operations", "To operations");
        }
    }

    static (LimitsBody Limits, string? Problem) Read(IFormCollection form)
    {
        string? wrong = null;
        int? Number(string field)
        {
            var text = form[field].ToString().Trim().Replace(" ", "", StringComparison.Ordinal);
            if (text.Length == 0)
                return null;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return number;
            wrong ??= $"{field} is '{Show.Short(text, 20)}'; write a whole number, or leave it empty.";
            return null;
        }

        var limits = new LimitsBody(Number("maxConcurrency"), Number("requestsPerMinute"), Number("tokensPerMinute"), form["reason"]);
        return (limits, wrong ?? (string.IsNullOrWhiteSpace(limits.Reason) ? "Say why; it is kept with who and when." : EngineActions.ProblemOf(limits) is var (field, problem) ? $"{field} {problem}." : null));
    }

    static async Task<IResult> LimitsPageAsync(string name, IFormCollection? typed, string? error, GatewayClient gateway, CancellationToken cancellationToken)
    {
        EngineInfo? engine;
        try
        {
            engine = (await gateway.EnginesAsync(cancellationToken)).Engines.FirstOrDefault(e => e.Engine == name);
        }
        catch (GatewayUnavailableException exception)
        {
            return PageEndpoints.Message("The gateway does not answer", exception.Message, StatusCodes.Status503ServiceUnavailable, "/operations", "To operations");
        }

        return engine is null
            ? PageEndpoints.Message("No such engine", $"The gateway has no engine '{name}'.", StatusCodes.Status404NotFound, "/operations", "To operations")
            : PageEndpoints.Page<EngineLimitsPage>(new { Engine = engine, Typed = typed, Error = error }, error is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    static async Task<IResult> ActAsync(HttpContext context, Func<string, string, IFormCollection, Task<EngineOutcome>> act, Func<string, string, IResult> again, CancellationToken cancellationToken)
    {
        var form = await context.Request.ReadFormAsync(cancellationToken);
        var reason = form["reason"].ToString();
        try
        {
            var outcome = await act(reason, Callers.NameOf(context), form);
            return outcome.Refusal is { } refusal ? again(refusal, reason) : TypedResults.LocalRedirect("/operations#engines");
        }
        catch (GatewayUnavailableException exception)
        {
            return again(exception.Message, reason);
        }
    }

    static IResult PausePage(string name, string? error, string? reason) => PageEndpoints.Page<ConfirmPage>(new
    {
        Title = $"Pause {Show.Short(name, 40)}", Action = $"/operations/engines/{Uri.EscapeDataString(name)}/pause", Button = "Pause the engine", BackHref = "/operations", Section = "operations", Danger = true, Error = error, Reason = reason,
        Text = "No further call goes to this engine, in any instance of the gateway. Calls on the wire finish and are recorded. Its calls wait until it is resumed, or until their audit's deadline ends them.",
    }, error is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);

    static IResult ResumePage(string name, string? error, string? reason) => PageEndpoints.Page<ConfirmPage>(new
    {
        Title = $"Resume {Show.Short(name, 40)}", Action = $"/operations/engines/{Uri.EscapeDataString(name)}/resume", Button = "Resume the engine", BackHref = "/operations", Section = "operations", Error = error, Reason = reason,
        Text = "Calls that wait for this engine go out again, within its limits and the audits' ceilings.",
    }, error is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
}

using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Api;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Spending;

namespace Assay.Dashboard.Engines;

/// <summary>What an engine is to bear; what is left out is as the settings say.</summary>
public sealed record LimitsBody(int? MaxConcurrency, int? RequestsPerMinute, int? TokensPerMinute, string? Reason);

/// <summary>/api/engines: engines are the gateway's, this asks and keeps who asked.</summary>
static class EnginesApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var engines = api.MapGroup("/engines").WithTags("Engines");
        engines.MapGet("/", async (GatewayClient gateway, CancellationToken cancellationToken) => TypedResults.Ok((await gateway.EnginesAsync(cancellationToken)).Engines))
            .RequireAuthorization(Policies.Read).ProducesProblem(503).WithSummary("Configured engines with their limits, load and breaker, without their secrets.");
        engines.MapPost("/{name}/pause", (string name, ReasonBody body, HttpContext context, EngineActions actions, CancellationToken cancellationToken) =>
                AnswerAsync(name, body.Reason, null, actions, who => actions.PauseAsync(name, body.Reason!, who, cancellationToken), context))
            .RequireAuthorization(Policies.OperateByKey).Produces<EngineInfo>().ProducesProblem(400).ProducesProblem(409).ProducesProblem(503).WithSummary("Lets an engine rest: its calls wait.");
        engines.MapPost("/{name}/resume", (string name, ReasonBody body, HttpContext context, EngineActions actions, CancellationToken cancellationToken) =>
                AnswerAsync(name, body.Reason, null, actions, who => actions.ResumeAsync(name, body.Reason!, who, cancellationToken), context))
            .RequireAuthorization(Policies.OperateByKey).Produces<EngineInfo>().ProducesProblem(400).ProducesProblem(409).ProducesProblem(503).WithSummary("Lets a paused engine be asked again.");
        engines.MapPost("/{name}/limits", (string name, LimitsBody body, HttpContext context, EngineActions actions, CancellationToken cancellationToken) =>
                AnswerAsync(name, body.Reason, EngineActions.ProblemOf(body), actions, who => actions.SetLimitsAsync(name, body, who, cancellationToken), context))
            .RequireAuthorization(Policies.OperateByKey).Produces<EngineInfo>().ProducesProblem(400).ProducesProblem(409).ProducesProblem(503).WithSummary("Sets what an engine bears; null is what the settings say.");
    }

    static async Task<IResult> AnswerAsync(string name, string? reason, (string Field, string Problem)? problem, EngineActions actions, Func<string, Task<EngineOutcome>> act, HttpContext context)
    {
        if (string.IsNullOrWhiteSpace(reason))
            return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
        if (problem is var (field, wrong))
            return Problems.BadInput(field, wrong);
        var outcome = await act(Callers.NameOf(context));
        return outcome.Engine is { } engine
            ? TypedResults.Ok(engine)
            : TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: "Nothing was changed", detail: outcome.Refusal ?? $"The gateway has no engine '{name}'.",
                extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["engine"] = name });
    }
}

/// <summary>An engine after what was asked, or why nothing was changed.</summary>
sealed record EngineOutcome(EngineInfo? Engine, string? Refusal);

/// <summary>What operators may do about engines: recorded first, then asked of the gateway.</summary>
sealed class EngineActions(GatewayClient gateway, OperatorTrail trail)
{
    const int MostPerMinute = 1_000_000_000;

    public async Task<EngineOutcome> PauseAsync(string engine, string reason, string who, CancellationToken cancellationToken)
    {
        await trail.RecordAsync(who, "pause engine", null, reason, engine, cancellationToken);
        return await gateway.PauseEngineAsync(engine, reason, who, cancellationToken);
    }

    public async Task<EngineOutcome> ResumeAsync(string engine, string reason, string who, CancellationToken cancellationToken)
    {
        await trail.RecordAsync(who, "resume engine", null, reason, engine, cancellationToken);
        return await gateway.ResumeEngineAsync(engine, reason, who, cancellationToken);
    }

    public async Task<EngineOutcome> SetLimitsAsync(string engine, LimitsBody limits, string who, CancellationToken cancellationToken)
    {
        await trail.RecordAsync(who, "set limits", null, limits.Reason, $"{engine}: {Describe(limits)}", cancellationToken);
        return await gateway.SetEngineLimitsAsync(engine, limits, who, cancellationToken);
    }

    public static string Describe(LimitsBody limits) =>
        $"at once {limits.MaxConcurrency?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "as set"}, requests a minute {limits.RequestsPerMinute?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "as set"}, tokens a minute {limits.TokensPerMinute?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "as set"}";

    public static (string Field, string Problem)? ProblemOf(LimitsBody limits) =>
        limits.MaxConcurrency is < 1 or > 10_000 ? ("maxConcurrency", "must be 1 to 10 000, or left out for what the settings say")
        : limits.RequestsPerMinute is < 1 or > MostPerMinute ? ("requestsPerMinute", "must be at least 1, or left out for what the settings say")
        : limits.TokensPerMinute is < 1 or > MostPerMinute ? ("tokensPerMinute", "must be at least 1, or left out for what the settings say")
        : null;
}

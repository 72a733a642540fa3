using Assay.Contracts;
using Assay.Dashboard.Audits;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Pages;
using Assay.Dashboard.Reports;
using Assay.Dashboard.Spending;
using Assay.ServiceDefaults;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Assay.Dashboard.Api;

/// <summary>Answers that say no, as RFC 9457 problem details: what was attempted, on which id, why, what to do next.</summary>
static class Problems
{
    /// <summary>Seconds.</summary>
    public const string RetryAfter = "5";

    public static ProblemHttpResult Invalid(ReadRequest read) => read.Malformed is { } malformed
        ? TypedResults.Problem(statusCode: StatusCodes.Status400BadRequest, title: "The request is not valid JSON", detail: malformed,
            extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = RejectionReasons.InvalidRequest })
        : TypedResults.Problem(statusCode: StatusCodes.Status400BadRequest, title: "The request is not valid",
            detail: string.Join("; ", read.Problems) + ".",
            extensions: new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["reason"] = RejectionReasons.InvalidRequest,
                ["errors"] = read.Problems.Select(problem => new { field = problem.Field, problem = problem.Problem }).ToArray(),
            });

    public static ProblemHttpResult NoAudit(Guid auditId) => TypedResults.Problem(statusCode: StatusCodes.Status404NotFound, title: "No such audit",
        detail: $"There is no audit {auditId}. GET /api/audits lists those there are.", extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["auditId"] = auditId });

    public static ProblemHttpResult Refused(Guid auditId, AuditRefusal refusal)
    {
        var status = refusal.Reason switch
        {
            RejectionReasons.AlreadyRunning or RejectionReasons.AuditIdReused or RejectionReasons.NotRetryable or RejectionReasons.ForceLimit or RejectionReasons.AttemptsExhausted
                => StatusCodes.Status409Conflict,
            RejectionReasons.InvalidRequest => StatusCodes.Status400BadRequest,
            _ => StatusCodes.Status422UnprocessableEntity,
        };
        return TypedResults.Problem(statusCode: status, title: $"Refused: {refusal.Reason}", detail: refusal.Detail,
            extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = refusal.Reason, ["auditId"] = auditId, ["existingAuditId"] = refusal.ExistingAuditId });
    }

    public static ProblemHttpResult Conflict(Guid auditId, string reason, string detail) => TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: $"Refused: {reason}", detail: detail,
        extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = reason, ["auditId"] = auditId });

    public static ProblemHttpResult UnknownStatus(string field, string? status) => BadInput(field, $"is '{Pages.Show.Short(status, 40)}'; use {string.Join(", ", AuditFilter.Statuses)}, or leave it out");

    public static ProblemHttpResult CountChanged(int expected, int found) => Changed("CountChanged", expected, found,
        $"The filter names {found} audits, not {expected}; nothing was done. Count again with dryRun, then send the count you agree to.");

    public static ProblemHttpResult AuditsChanged(int expected, int found) => Changed("AuditsChanged", expected, found,
        $"The filter names {found} audits, and not the {expected} that were sent; nothing was done. Look again with dryRun, then send the audits you agree to.");

    static ProblemHttpResult Changed(string reason, int expected, int found, string detail) => TypedResults.Problem(statusCode: StatusCodes.Status409Conflict, title: $"Refused: {reason}", detail: detail,
        extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = reason, ["expected"] = expected, ["count"] = found });

    public static ProblemHttpResult BadInput(string field, string problem) => TypedResults.Problem(statusCode: StatusCodes.Status400BadRequest, title: "The request is not valid", detail: $"{field}: {problem}",
        extensions: new Dictionary<string, object?>(StringComparer.Ordinal) { ["reason"] = RejectionReasons.InvalidRequest, ["errors"] = new[] { new { field, problem } } });
}

/// <summary>A service or database that does not answer is a 503 that names it, not a 500.</summary>
sealed class UnavailableHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var (title, detail) = exception switch
        {
            GatewayUnavailableException or TextsUnavailableException or ServiceSilentException => ("A service does not answer", exception.Message),
            _ when exception.IsTransient() => ("The dashboard's database does not answer", "Whether this request was stored is not known: look, or ask again in a moment with the same Idempotency-Key. If it stays, an operator checks the database, which /health/ready tells about."),
            _ => ("", ""),
        };
        if (title.Length == 0)
            return false;
        await TellAsync(httpContext, title, detail);
        return true;
    }

    /// <summary>Answers with 503 and when to come again: a page for people, problem details for programs.</summary>
    public static Task TellAsync(HttpContext context, string title, string detail)
    {
        context.Response.Headers.RetryAfter = Problems.RetryAfter;
        return PageErrors.Wants(context)
            ? PageEndpoints.Message(title, detail, StatusCodes.Status503ServiceUnavailable, "/", "To the audits").ExecuteAsync(context)
            : TypedResults.Problem(statusCode: StatusCodes.Status503ServiceUnavailable, title: title, detail: detail).ExecuteAsync(context);
    }
}

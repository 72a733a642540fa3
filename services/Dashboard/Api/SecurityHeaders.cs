using System.Diagnostics;
using Assay.Dashboard.Pages;
using Microsoft.AspNetCore.Diagnostics;

namespace Assay.Dashboard.Api;

/// <summary>No inline script, nothing from other hosts, no framing; login tokens and share links never leave in a referrer.</summary>
sealed class SecurityHeaders(RequestDelegate next)
{
    const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        Add(context);
        // Whoever answers for an exception empties the headers first.
        context.Response.OnStarting(static state =>
        {
            Add((HttpContext)state);
            return Task.CompletedTask;
        }, context);
        return next(context);
    }

    static void Add(HttpContext context)
    {
        var headers = context.Response.Headers;
        // A report brings a stricter one.
        if (headers.ContentSecurityPolicy.Count > 0)
            return;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // Pages show what may change and what only this person may see.
        if (!context.Request.Path.StartsWithSegments("/lib", StringComparison.Ordinal))
            headers.CacheControl = "no-store";
    }
}

/// <summary>A bug on a page is told on a page; the API gets problem details.</summary>
sealed partial class PageErrors(ILogger<PageErrors> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (!Wants(httpContext) || httpContext.Response.HasStarted)
            return false;
        // The framework logs nothing of what a handler takes over.
        var traceId = Activity.Current?.TraceId.ToHexString() ?? httpContext.TraceIdentifier;
        NotMade(logger, exception, httpContext.GetEndpoint()?.DisplayName, traceId);
        await PageEndpoints.Message("Something went wrong", $"The page could not be made. Try again; if it stays, tell the operator this trace id: {traceId}.", StatusCodes.Status500InternalServerError).ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>Whether a person looks at this with a browser; programs, fragments and streams get no page.</summary>
    public static bool Wants(HttpContext context) => !IsForPrograms(context.Request.Path) && !context.Request.Headers.ContainsKey("HX-Request");

    /// <summary>What the framework refuses by itself on a page's path: no such page, a wrong method, a parameter that cannot be read.</summary>
    public static Task TellAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        var (title, text) = status switch
        {
            StatusCodes.Status404NotFound => ("No such page", "There is nothing at this address. It may have been deleted, or mistyped."),
            StatusCodes.Status405MethodNotAllowed => ("Not like this", "This address belongs to a form. Go back and send the form again."),
            _ => ("Not understood", $"The request could not be read ({status}). Go back and try again."),
        };
        return PageEndpoints.Message(title, text, status, "/", "To the audits").ExecuteAsync(context);
    }

    static bool IsForPrograms(PathString path) => ForPrograms.Any(prefix => path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase));

    static readonly string[] ForPrograms = ["/api", "/openapi", "/health", "/metrics", "/lib"];

    [LoggerMessage(LogLevel.Error, "{Endpoint} could not be made; the person was told trace id {TraceId}")]
    static partial void NotMade(ILogger logger, Exception exception, string? endpoint, string traceId);
}

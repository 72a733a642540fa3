using Assay.Dashboard.Pages;
using Microsoft.AspNetCore.Diagnostics;

namespace Assay.Dashboard.Api;

/// <summary>No inline script, nothing from other hosts, no framing; login tokens and share links never leave in a referrer.</summary>
sealed class SecurityHeaders(RequestDelegate next)
{
    const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // Pages show what may change and what only this person may see.
        if (!context.Request.Path.StartsWithSegments("/lib", StringComparison.Ordinal))
            headers.CacheControl = "no-store";
        return next(context);
    }
}

/// <summary>A bug on a page is told on a page; the API gets problem details.</summary>
sealed class PageErrors : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) || httpContext.Response.HasStarted)
            return false;
        await PageEndpoints.Message("Something went wrong", $"The page could not be made. Try again; if it stays, tell the operator this trace id: {httpContext.TraceIdentifier}.", StatusCodes.Status500InternalServerError).ExecuteAsync(httpContext);
        return true;
    }
}

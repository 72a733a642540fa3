using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Assay.Dashboard.Reports;

/// <summary>Renders a report as one self-contained document.</summary>
sealed class HtmlReport(IServiceProvider services, ILoggerFactory loggers)
{
    public async Task<string> RenderAsync(Report report, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await using var renderer = new HtmlRenderer(services, loggers);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var output = await renderer.RenderComponentAsync<ReportDocument>(ParameterView.FromDictionary(new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(ReportDocument.Report)] = report }));
            return output.ToHtmlString();
        });
    }
}

/// <summary>Serves a report document: no script at all, nothing from anywhere, styles from the document itself.</summary>
sealed class HtmlReportResult(string html) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups";
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        return httpContext.Response.WriteAsync(html, httpContext.RequestAborted);
    }
}
